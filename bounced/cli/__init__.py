"""The commands. Thin: they ask the stages and the store, and print what these answer."""

import sys

from bounced.errors import BouncedError, ConfigError, TryLater


def main() -> None:
    """Run the command line and exit: 0 yes or done, 1 no or problems, 2 usage or configuration, 75 try later."""
    from bounced.cli.app import app

    try:
        app()
    except ConfigError as exc:
        _stop(2, *exc.problems)
    except TryLater as exc:
        _stop(75, f"{exc} (try again later)")
    except BouncedError as exc:
        _stop(1, str(exc))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _stop(status: int, *lines: str) -> None:
    from bounced.terminal import visible

    for line in lines:
        for part in line.splitlines():
            print(f"bounced: {visible(part)}", file=sys.stderr)
    sys.exit(status)
