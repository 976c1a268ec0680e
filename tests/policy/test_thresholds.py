"""What each reason costs with the shipped settings, and in which words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bounced.config import Policy, parse
from bounced.errors import ConfigError
from bounced.model import DEAD, Action, Category, Fault, Kind, Reason, Tags, Trust
from tests.policy.ground import ANN, START, Table, complaint, delivered, event

NEVER = sorted(
    set(Reason)
    - DEAD
    - {
        Reason.MAILBOX_FULL,
        Reason.NETWORK,
        Reason.EXPIRED,
        Reason.RECIPIENT_SYSTEM,
        Reason.UNKNOWN,
        Reason.ABUSE,
        Reason.FRAUD,
    }
)


@pytest.mark.parametrize("reason", [Reason.MAILBOX_UNKNOWN, Reason.ADDRESS_CHANGED])
def test_a_dead_address_is_suppressed_at_once_and_for_good(reason: Reason) -> None:
    table = Table()
    (decided,) = table.take(event(reason))

    assert table.says(day=10_000) == {"*": reason}
    assert decided.decision == f"suppressed in *: {reason} at the first report, no end"
    assert [(c.why, c.event_id) for c in table.journal] == [(f"{reason} at the first report, no end", decided.id)]


def test_a_disabled_mailbox_is_suppressed_for_180_days() -> None:
    table = Table()
    table.take(event(Reason.MAILBOX_DISABLED))

    assert table.until() == datetime(2026, 8, 30, tzinfo=UTC)


def test_an_inactive_mailbox_needs_two_reports_within_30_days() -> None:
    table = Table()
    first, again = table.take(event(Reason.MAILBOX_INACTIVE), event(Reason.MAILBOX_INACTIVE, 0.1))
    assert first.decision == "counted 1 of 2 since 2026-03-02"
    assert again.decision == "not counted again, one a day is enough: stands at 1 of 2 since 2026-03-02"
    table.take(event(Reason.MAILBOX_INACTIVE, 31))
    assert table.says() == {}

    (third,) = table.take(event(Reason.MAILBOX_INACTIVE, 40))
    assert third.decision == (
        "suppressed in *: mailbox_inactive: 2 reports on 2 days since 2026-04-02, until 2026-10-09"
    )


def test_a_missing_domain_needs_two_reports_72_hours_apart() -> None:
    table = Table()
    table.take(event(Reason.DOMAIN_MISSING), event(Reason.DOMAIN_MISSING, 2.9))
    assert table.says() == {}
    table.take(event(Reason.DOMAIN_MISSING, 3.05))
    assert table.says(day=9_000) == {"*": "domain_missing"}


def test_soft_failures_need_five_days_that_span_a_week() -> None:
    table = Table()
    early = table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 1, 2, 3, 4)))
    assert table.says() == {}
    assert early[-1].decision == ("counted 5 of 5 (days 5, needs 3; spanning 4 days, needs 7) since 2026-03-02")

    (decided,) = table.take(event(Reason.MAILBOX_FULL, 7))
    assert decided.decision.startswith("suppressed in *: mailbox_full: 6 reports on 6 days spanning 7 days")
    assert table.until() == datetime(2026, 6, 8, tzinfo=UTC)


def test_soft_failures_of_different_reasons_count_together() -> None:
    table = Table()
    reasons = (Reason.MAILBOX_FULL, Reason.NETWORK, Reason.EXPIRED, Reason.RECIPIENT_SYSTEM, Reason.NETWORK)
    table.take(*(event(reason, 2.0 * n) for n, reason in enumerate(reasons)))
    assert table.says() == {"*": "network"}


def test_many_soft_failures_of_one_day_count_once() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, n / 100) for n in range(40)))
    table.take(*(event(Reason.MAILBOX_FULL, 8 + n / 100) for n in range(40)))
    assert table.says() == {}


def test_soft_failures_that_lie_too_far_back_do_not_count() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, 8.0 * n) for n in range(12)))
    assert table.says() == {}


def test_one_more_failure_on_probation_suppresses_for_twice_as_long() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)))
    assert table.says(day=98) == {"*": "mailbox_full"}
    assert table.says(day=99) == {}

    (decided,) = table.take(event(Reason.NETWORK, 120))
    assert (
        decided.decision == "suppressed in *: network again during probation: twice as long as before, until 2026-12-28"
    )
    table.take(event(Reason.NETWORK, 120 + 181 + 40))
    assert table.until() == datetime(2028, 2, 2, tzinfo=UTC)


def test_after_probation_the_count_begins_anew() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)))
    (decided,) = table.take(event(Reason.MAILBOX_FULL, 200))
    assert decided.decision.startswith("counted 1 of 5")


def test_probation_outlives_the_events_it_rests_on() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)))
    table.events.clear()
    table.take(event(Reason.MAILBOX_FULL, 120))
    assert table.until() == datetime(2026, 12, 28, tzinfo=UTC)


@pytest.mark.parametrize("reason", NEVER)
def test_what_is_not_the_address_own_failure_never_suppresses(reason: Reason) -> None:
    table = Table()
    decided = table.take(*(event(reason, n, fault=Fault.PROVIDER) for n in range(30)))
    assert table.journal == []
    assert {e.decision for e in decided} == {f"not counted: {reason} never suppresses"}


@pytest.mark.parametrize("fault", [Fault.SENDER, Fault.MESSAGE, Fault.NONE])
def test_fault_stands_above_reason_and_settings(fault: Fault) -> None:
    table = Table(Policy.model_validate({"reasons": {str(reason): {"count": 1} for reason in Reason}}))
    decided = table.take(*(event(r, fault=fault, category=Category.HARD) for r in Reason))
    assert table.journal == []
    assert {e.decision for e in decided} == {f"not counted: fault {fault}"}


def test_a_temporary_refusal_of_an_unknown_mailbox_is_only_soft() -> None:
    table = Table()
    (decided,) = table.take(event(Reason.MAILBOX_UNKNOWN, category=Category.SOFT, status="4.1.1"))
    assert decided.decision.startswith("counted 1 of 5")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": Kind.DELAYED, "action": Action.DELAYED}, "not counted: delayed, the mail may still arrive"),
        ({"kind": Kind.AUTO_REPLY}, "not counted: an automatic reply"),
        ({"kind": Kind.OTHER, "category": None}, "not counted: says nothing of a failure"),
        ({"category": None, "action": Action.RELAYED}, "not counted: nothing failed for good"),
        ({"action": Action.DELAYED}, "not counted: nothing failed for good"),
        ({"address": None}, "not counted: names no recipient"),
    ],
)
def test_what_is_no_failure_changes_nothing(fields: dict[str, Any], words: str) -> None:
    table = Table()
    (decided,) = table.take(event(**fields))
    assert (decided.decision, table.journal) == (words, [])


@pytest.mark.parametrize("reason", [Reason.ABUSE, Reason.FRAUD])
def test_a_complaint_suppresses_at_once_in_its_scope(reason: Reason) -> None:
    table = Table(Policy(complaint_scope="marketing"))
    (decided,) = table.take(complaint(reason))
    assert table.says(day=9_000) == {"marketing": reason}
    assert decided.decision == f"suppressed in marketing: {reason} at the first report, no end"


@pytest.mark.parametrize("reason", [Reason.VIRUS, Reason.OTHER])
def test_a_complaint_that_is_none_of_spam_only_raises_an_alarm(reason: Reason) -> None:
    table = Table()
    (decided,) = table.take(complaint(reason))
    assert (decided.decision, table.journal) == (f"not counted: a complaint of {reason} only raises an alarm", [])


@pytest.mark.parametrize(
    ("name", "scope"), [("<News.example.org>", "news.example.org"), ("*", "everything"), (None, "everything")]
)
def test_a_wish_to_leave_reaches_its_list_and_no_further(name: str | None, scope: str) -> None:
    table = Table(Policy(unsubscribe_scope="everything"))
    table.take(event(None, kind=Kind.UNSUBSCRIBE, category=None, tags=Tags(list=name)))
    assert table.says(day=9_000) == {scope: "unsubscribe"}


@pytest.mark.parametrize(
    "claim",
    [
        event(trust=Trust.CLAIMED),
        complaint(trust=Trust.CLAIMED),
        event(None, kind=Kind.UNSUBSCRIBE, trust=Trust.CLAIMED),
    ],
    ids=["bounce", "complaint", "unsubscribe"],
)
def test_with_a_signing_key_a_claim_suppresses_nobody(claim: object) -> None:
    signed, believing = Table(signed_paths=True), Table()
    (decided,) = signed.take(claim)  # type: ignore[arg-type]
    believing.take(claim)  # type: ignore[arg-type]

    assert decided.decision == "not counted: only claimed, and return paths are signed"
    assert (signed.journal, len(believing.journal)) == ([], 1)


def test_claims_of_two_days_ask_for_a_person() -> None:
    table = Table(signed_paths=True)
    table.take(event(trust=Trust.CLAIMED))
    (decided,) = table.take(event(trust=Trust.CLAIMED, day=1))
    assert decided.decision.startswith("for review, claimed on 2 days")
    assert table.journal == []


@pytest.mark.parametrize("trust", [Trust.SIGNED, Trust.MATCHED])
def test_with_a_signing_key_stronger_evidence_still_suppresses(trust: Trust) -> None:
    table = Table(signed_paths=True)
    table.take(event(trust=trust))
    assert table.says() == {"*": "mailbox_unknown"}


def test_a_delivery_resets_soft_counts() -> None:
    table = Table()
    softs = [event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6)]
    decided = table.take(*softs, delivered(7), event(Reason.MAILBOX_FULL, 8))
    assert table.journal == []
    assert decided[4].decision == "delivered: what soft failures were counted is forgotten"
    assert decided[5].decision.startswith("counted 1 of 5")


def test_a_delivery_releases_what_soft_failures_came_to() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)))
    (decided,) = table.take(delivered(9))
    assert table.says(day=9) == {}
    assert decided.decision.endswith("; released in *")


def test_a_delivery_does_not_release_the_dead_but_says_that_it_disputes_it() -> None:
    table = Table()
    table.take(event())
    (decided,) = table.take(delivered(1))
    assert table.says() == {"*": "mailbox_unknown"}
    assert decided.decision == "delivered: nothing to reset; disputes the suppression in *"


def test_each_setting_can_be_changed_alone() -> None:
    table = Table(
        Policy.model_validate({"reasons": {"mailbox_inactive": {"suppress_days": 10}, "mailbox_full": "never"}})
    )
    table.take(event(Reason.MAILBOX_INACTIVE))
    assert table.says() == {}
    table.take(event(Reason.MAILBOX_INACTIVE, 1), *(event(Reason.MAILBOX_FULL, n) for n in range(9)))
    assert (table.says(), table.until()) == ({"*": "mailbox_inactive"}, datetime(2026, 3, 14, tzinfo=UTC))


@pytest.mark.parametrize(
    ("reasons", "problem"),
    [
        ({"mailbox_ful": "never"}, 'policy.reasons: there is no reason "mailbox_ful", did you mean "mailbox_full"?'),
        ({"network": "nver"}, "policy.reasons.network: want 'never' or 'soft', got 'nver'"),
        ({"network": {"cuont": 3}}, 'policy.reasons.network.cuont: unknown key, did you mean "count"?'),
    ],
)
def test_a_mistake_in_the_thresholds_is_named(reasons: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"policy": {"reasons": reasons}}, {})
    assert caught.value.problems == (problem,)


def test_every_reason_has_a_price_or_is_soft() -> None:
    """A reason that is added must be thought of: the two lists together are the whole."""
    soft = {Reason.MAILBOX_FULL, Reason.NETWORK, Reason.EXPIRED, Reason.RECIPIENT_SYSTEM, Reason.UNKNOWN}
    assert set(Policy().reasons) == set(Reason) - soft


def test_a_report_from_a_wrong_clock_happened_when_it_was_read() -> None:
    """Neither 1970 nor next year: an expiring suppression must not be over before it begins, nor last longer."""
    for reported in (datetime(1970, 1, 1, tzinfo=UTC), START + timedelta(days=365), None):
        table = Table()
        table.take(replace(event(Reason.MAILBOX_DISABLED), reported_at=reported))
        assert table.until() == datetime(2026, 8, 30, tzinfo=UTC)


def test_an_old_backlog_is_judged_by_its_own_days() -> None:
    """A year of mail read in one evening: what has run out since is no suppression."""
    table = Table()
    (old, recent) = table.take(
        event(Reason.MAILBOX_DISABLED, -300, read=0),
        event(Reason.MAILBOX_DISABLED, -100, read=0, address="bob@example.org"),
    )
    assert old.decision.startswith("not suppressed in * any more")
    assert [c.address for c in table.journal] == [recent.address] != [ANN]


def test_days_can_be_asked_for_beyond_the_count() -> None:
    table = Table(Policy.model_validate({"soft": {"count": 2, "distinct_days": 4, "span_days": 0}}))
    table.take(*(event(Reason.NETWORK, day) for day in (0, 1, 2)))
    assert table.says() == {}
    table.take(event(Reason.NETWORK, 3))
    assert table.says() == {"*": "network"}


def test_after_a_delivery_the_count_begins_anew_without_probation() -> None:
    table = Table()
    table.take(*(event(Reason.MAILBOX_FULL, day) for day in (0, 2, 4, 6, 8)), delivered(9))
    for day in (20, 120):
        (decided,) = table.take(event(Reason.MAILBOX_FULL, day))
        assert decided.decision.startswith("counted 1 of 5")
    assert table.says() == {}


@pytest.mark.parametrize("allowed", ["Example.ORG", "ann@example.org"])
def test_no_failure_suppresses_what_is_allowed(allowed: str) -> None:
    """A complaint is a person's wish, and stands."""
    table = Table(Policy.model_validate({"allow": [allowed]}))
    (decided, _) = table.take(event(), event(Reason.MAILBOX_DISABLED, 1))
    assert decided.decision.startswith("not counted: no failure suppresses this address")
    assert table.journal == []
    table.take(complaint(day=2))
    assert table.says() == {"*": "abuse"}


def test_what_is_allowed_does_not_reach_further() -> None:
    table = Table(Policy.model_validate({"allow": ["bob@example.org", "mail.example.org", "org"]}))
    table.take(event())
    assert table.says() == {"*": "mailbox_unknown"}
