"""Microsoft Exchange without a machine part: Internet Mail Service 5.5, Exchange 2000 to 2016, Microsoft 365.

Tell-tale: "did not reach the following recipient(s)", or "Diagnostic information for administrators" with a generating
server. The older ones give no codes, only a sentence behind each recipient; the younger ones give `host #550 5.1.1 ...`
in the part for administrators. The list of recipients above (`To:`) is that of the original, not of those that failed.
"""

import re

from bounced.model import Report
from bounced.readers import Rank, Reader
from bounced.readers._message import Message
from bounced.readers._prose import Prose

_ADMINISTRATORS = (
    "diagnostic information for administrators",
    "informations de diagnostic pour les administrateurs",
    "diagnoseinformationen für administratoren",
    "información de diagnóstico para",
    "informazioni di diagnostica per gli amministratori",
    "diagnostische gegevens voor beheerders",
    "informações de diagnóstico para administradores",
    "管理者向けの診断情報",
)
_SENTENCE = re.compile(r"\breach the following recipient|\bto the following recipient\S* (?:failed|could not|was)")
_OLD = Prose(
    "exchange",
    lambda message: True,
    re.compile(
        r"[ \t]{0,12}(?:c=[^\n]{0,200}SMTP=)?([^\s<>:;=()]{1,150}@[^\s<>:;()]{1,255}?)(?:;?[ \t]+on[ \t][^\n]*|"
        r";)?[ \t]*$"
    ),
    begins=re.compile(r"(?:did not reach|delivered to) the following recipient[^\n]*\n", re.I),
)
_NEW = Prose(
    "exchange",
    lambda message: True,
    re.compile(r"[ \t]{0,12}([^\s<>:;=()]{1,150}@[^\s<>:;()]{1,255}?)[ \t]*$"),
    begins=re.compile(
        r"(?:administrators|administrateurs|administratoren|administradores|amministratori|beheerders|"
        r"診断情報)[ \t]*:?",
        re.I,
    ),
    ends=re.compile(r"^[ \t]*(?:original message headers|ursprüngliche|en-têtes)", re.M | re.I),
)


def read(message: Message) -> Report | None:
    """Return a finding for each recipient that is told of; None if it is not Exchange's."""
    folded = message.folded
    newer = ("diagn" in folded or "診断" in folded) and any(words in folded for words in _ADMINISTRATORS)
    if not newer and not ("the following recipient" in folded and _SENTENCE.search(folded)):
        return None
    return (_NEW.read(message) if newer else None) or _OLD.read(message)


READER = Reader("exchange", Rank.PROSE, read)
