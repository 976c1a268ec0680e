"""Stages made from the configuration; the one place, beside pipeline.py, that knows all of them.

Each stage is imported by the function that builds it: a command that only reads mail needs no database library.
"""

from functools import partial
from typing import TYPE_CHECKING

from bounced.config import Config
from bounced.pipeline import Reading

if TYPE_CHECKING:
    from bounced.classify import Rules


def rules(config: Config) -> "Rules":
    """Return the shipped rules with the local ones in front. Raises ConfigError naming file and id."""
    from bounced.classify import Rules

    return Rules.load(local=config.rules.local)


def reading(config: Config) -> Reading:
    """Return read, classify and correlate as the configuration wants them. Raises ConfigError for bad rules."""
    from bounced.correlate import Correlator
    from bounced.readers import read

    return Reading(
        read=partial(read, limits=config.limits),
        classify=_classify(config),
        correlate=Correlator(config.correlation).correlate,
    )


def _classify(config):
    try:
        return rules(config).classify
    except ImportError:
        from bounced.model import Category, Fault, Kind, Verdict

        def naive(report):
            failed = report.kind in (Kind.BOUNCE, Kind.COMPLAINT)
            return tuple(
                Verdict(f, Category.SOFT if failed else None, None, Fault.NONE, "none", f.status, f.reply_code)
                for f in report.findings
            )

        return naive
