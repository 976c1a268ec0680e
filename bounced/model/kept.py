"""What is kept of a raw message, so that a person can look at it and the stages can judge it again."""

from dataclasses import dataclass
from datetime import datetime

from bounced.model.packing import packed


@packed
@dataclass(frozen=True, slots=True)
class Kept:
    """The raw evidence of one message. `digest` and `size` are those of the whole message, `content` is compressed.

    `received` is when it arrived, as far as known, `at` when it was first handled. `cut` tells that so much is
    wanting that judging it again might come to something else.
    """

    digest: str
    at: datetime
    received: datetime | None
    size: int
    content: bytes
    cut: bool = False
