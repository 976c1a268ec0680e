"""Judges mails for the commands that only look at them: none may take longer than the limit, many are shared out.

Some are judged in this process, for others take longer to start. There an alarm ends one that overruns its time, as
soon as Python runs again: no single call into a library takes long, as each is linear in a text of bounded length.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import FrameType

from bounced.config import Config
from bounced.model import RawMessage
from bounced.pipeline import Failure, Judgement, Reading, judge_one

_FEW = 2_000  # messages: about as many as are judged while other processes load the rules
_BATCH = 100

Named = tuple[str, RawMessage]


class _Overran(BaseException):
    """Not an Exception, so that nothing on the way takes it for a fault of its own."""


def judged(found: Iterable[Named], settings: Config, shipped: Path | None = None) -> Iterator[tuple[str, Judgement]]:
    """Yield the judgement of each message with its name, in order; one that overran its time is a failure.

    `shipped` stands for the shipped rules. Raises ConfigError where the rules are at fault.
    """
    from bounced.daemon.wiring import reading

    stages, left = reading(settings, shipped), iter(found)
    for name, raw in islice(left, _FEW):
        yield name, _in_time(stages, raw, settings.limits.seconds)
    if shipped is None and (batch := list(islice(left, _BATCH))):
        yield from _apart(batch, left, settings)
    for name, raw in left:
        yield name, _in_time(stages, raw, settings.limits.seconds)


def _apart(batch: list[Named], left: Iterator[Named], settings: Config) -> Iterator[tuple[str, Judgement]]:
    from bounced.daemon.judging import Judges

    judges = Judges(settings)
    try:
        while batch:
            judgements = judges.judge([raw for _, raw in batch])
            yield from ((name, judgement) for (name, _), (judgement, _) in zip(batch, judgements, strict=True))
            batch = list(islice(left, _BATCH))
    finally:
        judges.close()


def _in_time(stages: Reading, raw: RawMessage, seconds: float) -> Judgement:
    try:
        with _alarm(seconds):
            return judge_one(stages, raw)
    except _Overran:
        return Failure(f"it took longer than {seconds:g} s, the limit for one message (limits.seconds)", final=False)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _overran)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _overran(number: int, frame: FrameType | None) -> None:
    raise _Overran
