"""Bounce and complaint processing for people who run their own sending. What programs import is found here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bounced.client import Suppressions as Suppressions
    from bounced.correlate import Mail as Mail
    from bounced.correlate import Purpose as Purpose
    from bounced.model import Tags as Tags
    from bounced.return_paths import ReturnPaths as ReturnPaths

__version__ = "0.1.0"

#: Where what is offered lies: imported when it is first asked for, so that a part costs only its users.
_OFFERED: Final = {
    "Mail": "bounced.correlate",
    "Purpose": "bounced.correlate",
    "ReturnPaths": "bounced.return_paths",
    "Suppressions": "bounced.client",
    "Tags": "bounced.model",
}


def __getattr__(name: str) -> Any:
    """Return what programs may import from here. Raises AttributeError for anything else."""
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_OFFERED[name]), name)
