"""Whose report it is: signed return paths, headers of the returned original -> identity and trust. Pure."""

from bounced.correlate.correlator import Correlator
from bounced.correlate.forwarder import cap

__all__ = ["Correlator", "cap"]
