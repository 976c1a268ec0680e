"""How a story is told to a person: aligned lines, verdicts in words."""

from collections.abc import Iterable

from bounced.cli.render import cell

Line = tuple[str, object]


def words(category: object, reason: object, fault: object) -> str:
    if category is None:
        return "nothing failed" if reason is None else f"no failure ({reason})"
    return f"{category}, {reason}; fault: {fault}"


def told(indent: str, *lines: Line) -> Iterable[str]:
    """Return the lines that have something to say, aligned; what strangers wrote is cut at 500 characters."""
    for name, value in lines:
        text = cell(value)
        if text:
            yield f"{indent}{name + ':':15}{text[:500]}"
