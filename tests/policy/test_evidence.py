"""What speaks for an address: soft failures are forgotten, a dead one is disputed, and order does not matter."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.config import Policy
from bounced.model import Change, Event, Move, Reason, Sign, SignOfLife, Trust
from bounced.policy import decide
from tests.policy.ground import ANN, START, Table, complaint, delivered, event
from tests.policy.test_order import evidence

RELEASING = Policy(disputed="release")


def sign(day: float, kind: Sign = Sign.CLICK) -> SignOfLife:
    return SignOfLife(ANN, kind, START + timedelta(days=day), "shop")


def tell(table: Table, *signs: SignOfLife, day: float) -> list[Change]:
    """Tell signs of life on a day; return what that changed."""
    table.signs.extend(signs)
    now = START + timedelta(days=day)
    _, changes = decide((), {ANN: table.history(ANN)}, table.settings, now)
    table.write(changes)
    return changes


def test_a_login_ends_what_soft_failures_came_to() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, 2.0 * n) for n in range(6)))
    assert table.says(11)
    (change,) = tell(table, sign(11, Sign.LOGIN), day=11)
    assert (change.move, table.says(11)) == (Move.RELEASE, {})


def test_an_older_sign_changes_nothing() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, 2.0 * n) for n in range(6)))
    assert tell(table, sign(-1), day=12) == []


def test_counting_begins_anew_after_a_sign() -> None:
    """Four failures, a click, four failures: nothing."""
    table = Table()
    tell(table, sign(7), day=7)
    table.take(*(event(Reason.MAILBOX_FULL, 2.0 * n) for n in range(8)))
    assert table.says(16) == {}


def test_a_dead_address_that_opens_mail_is_disputed_and_stays_suppressed() -> None:
    """A person looks; one more report of its death ends the dispute."""
    table = Table()
    table.take(event())
    assert [change.move for change in tell(table, sign(3, Sign.OPEN), day=4)] == [Move.DISPUTE]
    assert table.entries[ANN, "*"].disputed == START + timedelta(days=4)
    assert tell(table, sign(5), day=6) == []
    table.take(event(day=8))
    assert table.entries[ANN, "*"].disputed is None


def test_a_delivery_report_disputes_too() -> None:
    table = Table()
    table.take(event())
    (decided,) = table.take(delivered(3))
    assert decided.decision.endswith("disputes the suppression in *")
    assert table.entries[ANN, "*"].disputed


@pytest.mark.parametrize(("trust", "says"), [(Trust.MATCHED, {}), (Trust.SIGNED, {"*": "mailbox_unknown"})])
def test_disputed_entries_may_end(trust: Trust, says: dict[str, str]) -> None:
    """Where the operator wants that, and the report was not signed for; the same evidence again changes nothing."""
    table = Table(RELEASING)
    table.take(event(trust=trust))
    tell(table, sign(3), day=4)
    assert table.says(5) == says
    table.take(event(trust=trust, day=0.5), day=6)
    assert table.says(7) == says


def test_no_sign_of_life_outweighs_a_complaint_or_a_person() -> None:
    table = Table(RELEASING)
    table.take(complaint(), event(None, kind="unsubscribe", category=None))
    assert tell(table, sign(3), day=4) == []
    assert not any(entry.disputed for entry in table.entries.values())


signs = st.builds(sign, st.integers(0, 40).map(float), st.sampled_from(Sign))


@pytest.mark.parametrize("policy", [Policy(), RELEASING], ids=["keep", "release"])
@given(events=st.lists(evidence, min_size=1, max_size=10), told=st.lists(signs, max_size=4), data=st.data())
@settings(max_examples=100, deadline=None)
def test_order_does_not_matter_for_signs_either(
    policy: Policy, events: list[Event], told: list[SignOfLife], data: st.DataObject
) -> None:
    """Whatever comes first, reports or signs, however they are mixed and repeated: the same table, the same dispute."""
    results = []
    for _ in range(2):
        table = Table(policy)
        mixed: list[Event | SignOfLife] = [*events, *told, *events[:2]]
        for n, item in enumerate(data.draw(st.permutations(mixed))):
            day = 41 + n / 48
            if isinstance(item, SignOfLife):
                tell(table, item, day=day)
            else:
                table.take(replace(item, at=START + timedelta(days=day)), day=day)
        results.append((table.state(43), {key for key, entry in table.entries.items() if entry.disputed}))
    assert results[0] == results[1]


def test_a_delivery_report_that_comes_late_undoes_what_it_would_have_kept_from_counting() -> None:
    """Missing, delivered, missing: in whatever order that is read, one report is left, which is too few."""
    table = Table()
    table.take(event(Reason.DOMAIN_MISSING), event(Reason.DOMAIN_MISSING, 4))
    assert table.says(4)
    table.take(delivered(2), day=5)
    assert table.says(5) == {}
