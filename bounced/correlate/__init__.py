"""Whose report it is: signed return paths, headers of the returned original -> identity and trust. Pure."""

from bounced.correlate.correlator import Correlator
from bounced.correlate.forwarder import cap
from bounced.correlate.records import Records, References, Sent
from bounced.correlate.signer import Checked, Flaw, Mail, Signer
from bounced.correlate.token import Purpose
from bounced.correlate.verp import Inspected, Stamp, decode, sign, stamp, verify

__all__ = [
    "Checked",
    "Correlator",
    "Flaw",
    "Inspected",
    "Mail",
    "Purpose",
    "Records",
    "References",
    "Sent",
    "Signer",
    "Stamp",
    "cap",
    "decode",
    "sign",
    "stamp",
    "verify",
]
