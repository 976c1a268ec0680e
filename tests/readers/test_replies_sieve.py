"""What Pigeonhole Sieve really writes: vacation notices, and refusals in the form of disposition notifications."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bounced.config import Limits
from bounced.model import Kind, Place, RawMessage, Report
from bounced.readers import read

SIEVE_TEST = shutil.which("sieve-test")
CONFIG = """
mail_location = maildir:{folder}/mail
postmaster_address = postmaster@isp.example
hostname = mx.isp.example
ssl = no
"""
NOBODY = 65534  # who runs it where root runs the tests: Dovecot reads mail as root for nobody

LETTER = """Return-Path: <b+k1@news.example>
From: Garden Letter <letter@news.example>
To: ann@isp.example
Subject: What to sow in March
Message-ID: <c42.ann@news.example>
Date: Tue, 3 Mar 2026 08:00:02 +0000

Broad beans.
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SIEVE_TEST is None, reason="sieve-test is not installed (Debian: dovecot-sieve)"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the unprivileged user may write as well."""
    with tempfile.TemporaryDirectory(prefix="bounced-sieve-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def answer_to(letter: str, script: str, folder: Path) -> Report:
    """Return how the mail is read that the script sends in answer to the letter."""
    (folder / "dovecot.conf").write_text(CONFIG.format(folder=folder))
    (folder / "script.sieve").write_text(script)
    (folder / "letter").write_text(letter)
    command = [str(SIEVE_TEST), "-c", "dovecot.conf", "-e", "-f", "b+k1@news.example", "-a", "ann@isp.example"]
    command += ["-r", "ann@isp.example", "script.sieve", "letter"]
    user = NOBODY if os.getuid() == 0 else None
    home = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=60, user=user, group=user, env=home, check=False
    )
    content = done.stdout.partition(b"\nRECIPIENT: ")[0]
    assert content.startswith(b"X-Sieve:"), done.stderr.decode()
    return read(RawMessage(Place("test", "INBOX", 1, 1), content, len(content)), Limits())


def test_a_vacation_notice_names_nobody(folder: Path) -> None:
    """The mailbox lives, so nothing is found against it."""
    report = answer_to(LETTER, 'require ["vacation"]; vacation "Away until May.";', folder)

    assert (report.kind, report.subtype, report.findings) == (Kind.AUTO_REPLY, "vacation", ())
    assert report.envelope.in_reply_to[:1] == ("<c42.ann@news.example>",)


def test_a_vacation_notice_with_words_of_failure_is_still_one(folder: Path) -> None:
    """Whatever the owner writes, and whatever our own subject said."""
    letter = LETTER.replace("What to sow in March", "Undelivered mail: user unknown")
    script = 'require ["vacation"]; vacation "550 5.1.1 user unknown: bob@isp.example";'

    assert answer_to(letter, script, folder).kind is Kind.AUTO_REPLY


def test_a_refusal_is_a_bounce_of_the_owner_with_the_reason(folder: Path) -> None:
    """It comes as a disposition notification, which reports no failure otherwise."""
    report = answer_to(LETTER, 'require ["reject"]; reject "I read no letters about gardens.";', folder)

    assert (report.kind, report.reader) == (Kind.BOUNCE, "mdn")
    assert [(f.recipient, f.diagnostic_type) for f in report.findings] == [("ann@isp.example", "x-sieve")]
    assert "I read no letters about gardens." in (report.findings[0].text or "")
    assert report.original is not None
    assert report.original.first("Message-ID") == "<c42.ann@news.example>"
    assert report.reporting_mta is None or "%" not in report.reporting_mta
