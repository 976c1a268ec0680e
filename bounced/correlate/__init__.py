"""Whose report it is: signed return paths, headers of the returned original -> identity and trust. Pure."""

from bounced.correlate.correlator import Correlator
from bounced.correlate.forwarder import cap, recap
from bounced.correlate.recording import Recording, mark_of, record_id
from bounced.correlate.signer import Checked, Flaw, Mail, Signer, clean_tags
from bounced.correlate.text import message_id as clean_message_id
from bounced.correlate.token import Purpose
from bounced.correlate.verp import Inspected, Stamp, decode, sign, stamp, verify
from bounced.model import Records, References, Sent

__all__ = [
    "Checked",
    "Correlator",
    "Flaw",
    "Inspected",
    "Mail",
    "Purpose",
    "Recording",
    "Records",
    "References",
    "Sent",
    "Signer",
    "Stamp",
    "cap",
    "clean_message_id",
    "clean_tags",
    "decode",
    "mark_of",
    "recap",
    "record_id",
    "sign",
    "stamp",
    "verify",
]
