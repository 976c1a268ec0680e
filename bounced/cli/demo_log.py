"""What the demo reads in the log of its daemon: where the page is, and what became of each message."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Arrived:
    """A line of the log about one message; reader and kind are wanting where it was known already, and not read."""

    uid: int
    reader: str | None
    kind: str | None
    outcome: str
    why: str | None


class DaemonLog:
    """A log of JSON lines that grows. `page`: where the daemon answers over HTTP, once it has said so."""

    def __init__(self, file: Path) -> None:
        self._file, self._read = file, 0
        self.page: str | None = None

    def new(self) -> Iterator[Arrived]:
        """Yield what is said of messages since the last look; a line that is not whole yet waits for the next."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                told = _told(line)
                if told.get("event") == "ready":
                    self.page = self.page or str(told["http"])
                elif told.get("event") == "message":
                    yield Arrived(told["uid"], told.get("reader"), told.get("kind"), told["outcome"], told.get("why"))


def _told(line: bytes) -> dict[str, Any]:
    """Return what a line says; nothing if it is no object."""
    try:
        found: Any = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
