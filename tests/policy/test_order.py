"""The same evidence leads to the same table, in whatever order, however often and however late it comes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.config import Policy
from bounced.model import Action, Category, Change, Event, Fault, Kind, Move, Reason, Tags, Trust
from bounced.policy import expire
from tests.policy.ground import ANN, START, Table, complaint, delivered, event

SCOPED = Policy(complaint_scope="marketing")
#: Thresholds so low that 40 days see several suppressions, probations and doublings.
SHORT = Policy.model_validate(
    {
        "soft": {
            "count": 2,
            "distinct_days": 2,
            "span_days": 2,
            "within_days": 6,
            "suppress_days": 3,
            "probation_days": 4,
        },
        "reasons": {
            "mailbox_disabled": {"suppress_days": 5, "probation_days": 9},
            "mailbox_inactive": {"count": 2, "apart_hours": 30, "suppress_days": 60},
        },
    }
)

days = st.integers(0, 40 * 8).map(lambda eighth: eighth / 8)
softs = st.builds(event, st.sampled_from([Reason.MAILBOX_FULL, Reason.NETWORK, Reason.EXPIRED]), days)
counted = st.builds(event, st.sampled_from([Reason.MAILBOX_INACTIVE, Reason.DOMAIN_MISSING]), days)
ended = st.builds(event, st.just(Reason.MAILBOX_DISABLED), days)
dead = st.builds(event, st.sampled_from([Reason.MAILBOX_UNKNOWN, Reason.ADDRESS_CHANGED]), days)
complaints = st.builds(complaint, st.sampled_from([Reason.ABUSE, Reason.FRAUD, Reason.VIRUS]), days)
leaving = st.builds(event, st.none(), days, kind=st.just(Kind.UNSUBSCRIBE), tags=st.just(Tags(list="news")))
proofs = st.builds(delivered, days)
harmless = st.builds(
    event, st.sampled_from(list(Reason)), days, fault=st.sampled_from([Fault.SENDER, Fault.MESSAGE, Fault.NONE])
)
evidence = st.one_of(softs, softs, softs, counted, ended, dead, complaints, leaving, proofs, harmless)


Arrivals = tuple[list[list[Event]], list[list[Event]]]


@st.composite
def two_arrivals(draw: st.DrawFn) -> Arrivals:
    """Return the same evidence as it arrived twice: in other orders, other batches, with repetitions."""
    events = draw(st.lists(evidence, min_size=1, max_size=14))
    return draw(_arrival(events)), draw(_arrival(events))


@st.composite
def _arrival(draw: st.DrawFn, events: Sequence[Event]) -> list[list[Event]]:
    shuffled = draw(st.permutations([*events, *draw(st.lists(st.sampled_from(events), max_size=4))]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    return [list(shuffled[a:b]) for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


def _read(batches: Sequence[Sequence[Event]], table: Table, day: float = 41) -> Table:
    """Read every batch after all of it was reported, and half an hour after the batch before."""
    for n, batch in enumerate(batches):
        at = day + n / 48
        table.take(*(replace(e, at=START + timedelta(days=at)) for e in batch), day=at)
    return table


@pytest.mark.parametrize("policy", [SCOPED, SHORT], ids=["shipped", "short"])
@given(arrivals=two_arrivals())
@settings(max_examples=200, deadline=None)
def test_order_batches_and_repetition_do_not_matter(policy: Policy, arrivals: Arrivals) -> None:
    one, other = (_read(batches, Table(policy)) for batches in arrivals)
    assert one.state(42) == other.state(42)


@given(st.lists(harmless, min_size=1, max_size=30), st.booleans())
def test_faults_of_sender_or_message_never_suppress(events: list[Event], signed: bool) -> None:
    table = Table(Policy.model_validate({"reasons": dict.fromkeys(map(str, Reason), "soft")}), signed_paths=signed)
    _read([events], table)
    assert table.journal == []


@given(st.lists(evidence, min_size=1, max_size=30))
def test_claims_never_suppress_where_paths_are_signed(events: list[Event]) -> None:
    table = Table(SCOPED, signed_paths=True)
    _read([[replace(e, trust=Trust.CLAIMED) for e in events]], table)
    assert table.journal == []


@given(st.lists(evidence, min_size=1, max_size=12), st.data())
def test_what_a_person_released_stays_released_by_old_evidence(events: list[Event], data: st.DataObject) -> None:
    """Neither the evidence there was, nor what was reported before the release and comes later, brings it back."""
    late = data.draw(st.lists(st.sampled_from(events), max_size=6))
    table = _read([[e for e in events if e not in late]], Table(SCOPED))
    for scope in list(table.says(42)):
        table.release(45, scope)
    released = set(table.says(42)) | {c.scope for c in table.journal if c.move is Move.RELEASE and c.actor == "eve"}
    _read([late], table, day=46)
    assert released & set(table.says(46)) == set()


@given(st.lists(evidence, min_size=1, max_size=14))
def test_every_event_is_explained_and_every_change_has_its_cause(events: list[Event]) -> None:
    table = _read([events], Table(SCOPED))
    ids = {e.id for e in table.events}
    assert all(e.decision for e in table.events)
    assert all(c.why and c.event_id in ids and c.actor == "bounced" for c in table.journal)


@given(st.lists(evidence, min_size=1, max_size=14))
def test_one_batch_writes_one_line_a_scope(events: list[Event]) -> None:
    table = _read([events], Table(SCOPED))
    scopes = [c.scope for c in table.journal if c.move is not Move.DISPUTE]
    assert len(scopes) == len(set(scopes))


@given(st.lists(st.one_of(softs, ended, dead), min_size=1, max_size=10))
def test_more_evidence_never_ends_a_suppression_sooner(events: list[Event]) -> None:
    table = Table()
    ends = []
    for n, e in enumerate(events):
        _read([[e]], table, day=41 + n / 48)
        if "*" in table.says(42):
            ends.append(table.until() or START + timedelta(days=99_999))
    assert ends == sorted(ends)


def test_a_complaint_is_never_renamed_by_a_bounce() -> None:
    table = Table()
    table.take(complaint())
    (decided,) = table.take(event(day=1))
    assert table.says(day=9_000) == {"*": "abuse"}
    assert decided.decision == "suppressed in * already: complaint abuse, no end"
    assert len(table.journal) == 1


def test_a_complaint_renames_a_bounce() -> None:
    table = Table()
    table.take(event(Reason.MAILBOX_DISABLED))
    table.take(complaint(day=1))
    assert [(c.category, c.until) for c in table.journal][1:] == [(Category.COMPLAINT, None)]


def test_a_longer_cause_extends_and_a_shorter_one_does_not_shorten() -> None:
    table = Table()
    table.take(event())
    table.take(event(Reason.MAILBOX_DISABLED, 1))
    assert (table.until(), len(table.journal)) == (None, 1)


def test_ten_reports_of_one_day_are_one_line_in_the_journal() -> None:
    table = Table()
    for n in range(10):
        table.take(event(Reason.MAILBOX_DISABLED, n / 100))
    assert len(table.journal) == 1
    table.take(event(Reason.MAILBOX_DISABLED, 3))
    assert table.journal[1].why == "mailbox_disabled again while suppressed, until 2026-09-02"


def test_newer_evidence_suppresses_again_what_a_person_released() -> None:
    table = Table()
    table.take(event())
    table.release(day=2)
    (late,) = table.take(event(day=1, read=3))
    assert late.decision == "not counted: older than the release in * of 2026-03-04 09:00"
    table.take(event(day=4))
    assert table.says() == {"*": "mailbox_unknown"}


def test_soft_counts_begin_anew_after_a_release_by_a_person() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)))
    table.release(day=9)
    (decided,) = table.take(event(Reason.MAILBOX_FULL, 10))
    assert decided.decision.startswith("counted 1 of 5")
    assert table.says() == {}


def test_what_a_person_suppressed_keeps_its_name_and_never_ends_sooner() -> None:
    table = Table()
    until = START + timedelta(days=30)
    table.write([Change(ANN, "*", Move.SUPPRESS, START, "manual", "moved away", "by phone", until, None, "eve")])
    table.take(event(Reason.MAILBOX_DISABLED, 1))
    (change,) = table.journal[1:]
    assert (change.category, change.reason) == ("manual", "moved away")
    assert change.until is not None and change.until > until


def test_what_has_run_out_is_expired_once() -> None:
    table = Table()
    table.take(event(Reason.MAILBOX_DISABLED), event(address="bob@example.org"))
    end = table.until()
    assert end is not None
    assert expire(table.entries.values(), end - timedelta(seconds=1)) == []
    (change,) = expire(table.entries.values(), end)
    assert (change.address, change.scope, change.move, change.at) == (ANN, "*", Move.EXPIRE, end)
    assert change.why == "mailbox_disabled was suppressed until 2026-08-30; mail may be tried again"
    table.write([change])
    assert expire(table.entries.values(), end) == []


def test_addresses_do_not_touch_each_other() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, 2.0 * n, address=f"p{n}@example.org") for n in range(20)))
    assert table.journal == []


def test_events_come_back_in_their_order() -> None:
    table = Table()
    batch = [event(day=3), event(day=1, address="bob@example.org"), event(day=2), event(address=None)]
    assert [e.id for e in table.take(*batch)] == [e.id for e in batch]


def test_an_entry_outlives_the_events_it_rests_on() -> None:
    """Events are kept for a time only; what they came to is not undone by that."""
    table = Table()
    table.take(event())
    table.events.clear()
    table.take(event(Reason.NETWORK, 400), delivered(401))
    assert table.says() == {"*": "mailbox_unknown"}
    assert [line.move for line in table.journal] == [Move.SUPPRESS, Move.DISPUTE]


def test_what_a_person_suppressed_for_a_time_is_no_count_of_ours() -> None:
    """Neither does a delivery end it, nor does it leave a probation behind."""
    table = Table()
    until = START + timedelta(days=30)
    table.write([Change(ANN, "*", Move.SUPPRESS, START, Category.SOFT, "on leave", "asked", until, None, "eve")])
    table.take(delivered(1))
    assert table.says(day=2) == {"*": "on leave"}
    (decided,) = table.take(event(Reason.NETWORK, 40))
    assert decided.decision.startswith("counted 1 of 5")


@pytest.mark.parametrize("who", ["a person", "a delivery"])
def test_what_was_released_does_not_come_back_from_the_journal(who: str) -> None:
    """Not even when the events behind it are kept no longer."""
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)))
    if who == "a person":
        table.release(day=9)
    else:
        table.take(delivered(9))
    table.events.clear()
    for day in (20, 110):
        (decided,) = table.take(event(Reason.MAILBOX_FULL, day))
        assert decided.decision.startswith("counted 1 of 5")
    assert table.says(day=110) == {}


_OLD, _FAR = datetime(1900, 1, 1), datetime(2300, 1, 1)  # noqa: DTZ001  Hypothesis wants them naive
times = st.datetimes(_OLD, _FAR, timezones=st.just(UTC))
anything = st.builds(
    replace,
    st.just(event()),
    id=st.text(min_size=1, max_size=8),
    kind=st.sampled_from(Kind),
    category=st.sampled_from([None, *Category]),
    reason=st.sampled_from([None, *Reason]),
    fault=st.sampled_from(Fault),
    trust=st.sampled_from(Trust),
    action=st.sampled_from([None, *Action]),
    reported_at=st.none() | times,
    at=times,
    tags=st.builds(Tags, list=st.none() | st.text(max_size=8)),
)
lines = st.builds(
    Change,
    st.just(ANN),
    st.sampled_from(["*", "marketing", "news"]),
    st.sampled_from(Move),
    times,
    st.sampled_from([*map(str, Category), "unsubscribe", "manual"]),
    st.sampled_from([*map(str, Reason), "spring cleaning"]),
    st.text(max_size=8),
    st.none() | times,
    st.none() | st.text(max_size=8),
    st.sampled_from(["bounced", "eve"]),
)
largest = {"within_days": 3650, "suppress_days": 3650, "probation_days": 3650, "span_days": 0, "count": 1}


@pytest.mark.parametrize("policy", [SCOPED, Policy.model_validate({"soft": largest})], ids=["shipped", "largest"])
@given(events=st.lists(anything, max_size=8), journal=st.lists(lines, max_size=8), new=st.lists(anything, min_size=1))
def test_whatever_comes_is_decided(
    policy: Policy, events: list[Event], journal: list[Change], new: list[Event]
) -> None:
    """No event, no journal and no clock makes the policy raise, or leave an event without a word."""
    table = Table(policy)
    table.events.extend(events)
    table.write(journal)
    decided = table.take(*new)
    assert all(e.decision for e in decided)
