"""What belongs to a wave never suppresses, unless a person says so; how high is too high."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.config import Policy
from bounced.model import Event, Reason, Wave, WaveState
from bounced.policy import Level, Outcomes, breadth, closed, is_over, quarter_of, rising
from bounced.policy.holding import provider_of
from bounced.policy.tide import Tide
from tests.policy.ground import START, Table, event
from tests.policy.test_order import evidence

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def wave(begin: float, end: float | None, state: WaveState = WaveState.RELEASED) -> Wave:
    """Return a wave of unknown mailboxes at Google, between two days."""
    since = START + begin * DAY
    return Wave(
        id=1,
        provider="google",
        reason=Reason.MAILBOX_UNKNOWN,
        state=state,
        since=since,
        opened_at=since,
        high_at=since,
        closed_at=None if end is None else START + end * DAY,
        hours=1,
        amount=60,
        ceiling=50,
        breadth=1,
        why="60 addresses in an hour",
    )


def test_what_lies_in_a_wave_is_held_and_what_lies_beside_it_is_not() -> None:
    table = Table(waves=(wave(5, 6),))
    held, other, late = table.take(
        event(provider="google", day=5.5),
        event(provider="microsoft", day=5.5, address="bob@example.org"),
        event(provider="google", day=6.5, address="eve@example.org"),
    )
    assert held.decision == "held by wave 1: far more mailbox_unknown at google than usual; released"
    assert {entry.address for entry in table.entries.values()} == {other.address, late.address}


def test_an_entry_joins_the_wave_that_opens_over_it() -> None:
    """Released by the wave in the journal; confirmed, it comes back."""
    table = Table()
    table.take(event(provider="google", day=5.1))
    table.waves = (wave(5, None, WaveState.OPEN),)
    table.look(5.2)
    assert (table.says(5.3), table.journal[-1].actor) == ({}, "wave 1")
    table.waves = (wave(5, 6, WaveState.CONFIRMED),)
    table.look(7)
    assert table.says(8) == {"*": "mailbox_unknown"}
    table.waves = (wave(5, 6),)
    table.look(9)
    assert table.says(10) == {}


in_wave = st.builds(
    event, st.just(Reason.MAILBOX_UNKNOWN), st.integers(40, 63).map(lambda n: n / 8), provider=st.just("google")
)


@given(others=st.lists(evidence, max_size=8), held=st.lists(in_wave, min_size=1, max_size=6), data=st.data())
@settings(max_examples=80, deadline=None)
def test_held_reports_are_as_if_they_had_never_come(
    others: list[Event], held: list[Event], data: st.DataObject
) -> None:
    """In any order, repeated, late, mixed with any other evidence: the table is the one without them."""
    without, with_ = Table(), Table(waves=(wave(5, 8),))
    _take(without, others)
    _take(with_, data.draw(st.permutations([*others, *held, *held[:2]])))
    assert with_.state(43) == without.state(43)


def _take(table: Table, events: Sequence[Event]) -> None:
    for n, each in enumerate(events):
        table.take(replace(each, at=START + timedelta(days=41 + n / 48)), day=41 + n / 48)


@pytest.mark.parametrize(
    ("fields", "provider"),
    [
        ({"provider": "google", "remote_mta": "aspmx.l.google.com"}, "google"),
        ({"remote_mta": "mx1.isp.example"}, "isp.example"),
        ({"remote_mta": "mx1"}, "example.org"),
        ({"remote_mta": "192.0.2.7"}, "example.org"),
        ({"remote_mta": "2001:db8::1"}, "example.org"),
        ({"address": None}, "unknown"),
    ],
)
def test_whose_mailboxes_a_report_speaks_of(fields: dict[str, str], provider: str) -> None:
    assert provider_of(event(**fields)) == provider  # type: ignore[arg-type]


NOW = START + 40 * DAY
Q = quarter_of(NOW)


def level(amounts: dict[int, int], by_hour: dict[int, int] | None = None) -> Level:
    return Level(("google", Reason.MAILBOX_UNKNOWN), amounts, [Q], by_hour or {})


def test_the_floor_is_never_a_wave_and_one_more_is() -> None:
    assert rising(level({Q: 50}), (), Policy(), NOW) is None
    opened = rising(level({Q: 51}), (), Policy(), NOW)
    assert opened is not None
    assert (opened.amount, opened.ceiling, opened.state) == (51, 50, WaveState.OPEN)
    assert NOW - HOUR <= opened.since <= NOW


def test_three_times_the_third_busiest_hour_is_allowed() -> None:
    """Weekly mailings are usual; two freak hours are not."""
    weekly = {Q - 96 * 7 * n: 100 for n in (1, 2, 3)}
    freaks = {Q - 96 * 7 * n: 100 for n in (1, 2)}
    assert rising(level({Q: 300, **weekly}), (), Policy(), NOW) is None
    assert rising(level({Q: 301, **weekly}), (), Policy(), NOW) is not None
    assert rising(level({Q: 51, **freaks}), (), Policy(), NOW) is not None


def test_an_earlier_wave_does_not_make_the_next_one_usual() -> None:
    before = {Q - 96 * 7 - 4 * n: 900 for n in range(96)}
    past = replace(wave(0, 0), since=NOW - 12 * DAY, closed_at=NOW - 7 * DAY + HOUR)
    assert rising(level({Q: 900, **before}), (), Policy(), NOW) is None
    assert rising(level({Q: 900, **before}), (past,), Policy(), NOW) is not None


def test_more_is_allowed_where_many_providers_see_more() -> None:
    """Two hundred providers in an hour where twenty are usual: a bad list, or a big mailing."""
    assert breadth({Q // 4: 200}, Q, Q) == 10
    assert rising(level({Q: 400}, {Q // 4: 200}), (), Policy(), NOW) is None
    assert rising(level({Q: 501}, {Q // 4: 200}), (), Policy(), NOW) is not None


def test_a_wave_begins_where_it_rose() -> None:
    amounts = {Q: 60, Q - 4: 20, Q - 8: 10, Q - 16: 5}
    opened = rising(level(amounts), (), Policy(), NOW)
    assert opened is not None
    assert Tide(amounts).within(Q - 4, 1) == 20
    assert opened.since <= NOW - 2 * HOUR
    assert opened.since > NOW - 4 * HOUR


def test_a_wave_is_over_when_it_was_quiet_or_too_long() -> None:
    opened = replace(wave(0, None, WaveState.OPEN), high_at=START + HOUR)
    policy = Policy()
    assert not is_over(opened, policy, START + 6.9 * HOUR)
    assert is_over(opened, policy, START + 7 * HOUR)
    lasting = replace(opened, high_at=START + 72 * HOUR)
    assert is_over(lasting, policy, START + 72 * HOUR)
    assert closed(lasting, Outcomes(900, 0, 0, 0, 1), policy, START + 72 * HOUR).state is WaveState.ASKING


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Outcomes(held=900, again=0, alive=0, known_alive=0, breadth=1), WaveState.RELEASED),
        (Outcomes(held=900, again=300, alive=0, known_alive=0, breadth=1), WaveState.ASKING),
        (Outcomes(held=900, again=0, alive=0, known_alive=0, breadth=9), WaveState.ASKING),
        (Outcomes(held=900, again=0, alive=0, known_alive=5000, breadth=1), WaveState.ASKING),
        (Outcomes(held=900, again=300, alive=60, known_alive=5000, breadth=9), WaveState.RELEASED),
        (Outcomes(held=0, again=0, alive=0, known_alive=0, breadth=1), WaveState.RELEASED),
    ],
)
def test_what_becomes_of_a_wave(found: Outcomes, state: WaveState) -> None:
    opened = wave(0, None, WaveState.OPEN)
    ended = closed(opened, found, Policy(), START + 8 * HOUR)
    assert (ended.state, ended.closed_at) == (state, START + 8 * HOUR)
    assert ended.why.startswith(opened.why + "; ")


@pytest.mark.parametrize(("on_close", "state"), [("ask", WaveState.ASKING), ("release", WaveState.RELEASED)])
def test_the_operator_may_decide_beforehand(on_close: str, state: WaveState) -> None:
    policy = Policy.model_validate({"waves": {"on_close": on_close}})
    found = Outcomes(held=900, again=300, alive=0, known_alive=0, breadth=9)
    assert closed(wave(0, None, WaveState.OPEN), found, policy, START + 8 * HOUR).state is state


def test_what_a_person_said_before_the_end_stands() -> None:
    said = wave(0, None, WaveState.CONFIRMED)
    ended = closed(said, Outcomes(900, 0, 0, 0, 1), Policy(), START + 8 * HOUR)
    assert (ended.state, ended.why) == (WaveState.CONFIRMED, said.why)
