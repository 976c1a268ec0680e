"""One token, one hard verdict; and no forgery takes the place of the true report."""

from dataclasses import replace
from datetime import UTC, datetime

from bounced.correlate import sign
from bounced.model import Event, Finding, Judged, Place, Report, Trust
from bounced.recording import events_of

from .conftest import NOW
from .forge import ANN, MAIL, SIGNER, bounce, identify, verdict

PATH = sign(SIGNER, MAIL, NOW)


def event(report: Report, day: int, status: str = "5.1.1") -> Event:
    """Return the event of a report that is dated and told apart by its day."""
    dated = replace(report, envelope=replace(report.envelope, date=datetime(2026, 11, day, tzinfo=UTC)))
    told = replace(verdict(dated.findings[0]), status=status)
    judged = Judged(Place("m", "f", 1, day), f"{day:064}", 1, dated, ((told, identify(dated)),))
    return events_of(judged, NOW)[0]


def test_a_replayed_token_yields_no_second_hard_event() -> None:
    """Another day, another status, another Message-ID: still the same mail, which failed once."""
    first = event(bounce(ANN, to=PATH), 1)
    again = event(bounce(ANN, to=PATH, original=(("Message-ID", "<other@x.example>"),)), 5, "5.1.10")

    assert (first.trust, again.trust) == (Trust.SIGNED, Trust.SIGNED)
    assert first.key == again.key


def test_two_mails_are_two_events() -> None:
    """Each mail has a token of its own."""
    other = sign(SIGNER, replace(MAIL, message_id="2@shop.example"), NOW)

    assert event(bounce(ANN, to=PATH), 1).key != event(bounce(ANN, to=other), 1).key


def test_a_forgery_does_not_take_the_true_reports_place() -> None:
    """The same claim without the token is another event, so the true one still counts."""
    assert event(bounce(ANN), 1).key != event(bounce(ANN, to=PATH), 1).key


def test_a_claim_seen_twice_is_one_event() -> None:
    """As before, by what it speaks of."""
    report = bounce(Finding(ANN), original=(("Message-ID", "<1@shop.example>"),))

    assert event(report, 1).key == event(report, 1).key
