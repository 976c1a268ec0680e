"""Bounce and complaint processing for people who run their own sending."""

__version__ = "0.1.0"
