"""Ninety days that the demo made up, and the pipeline lived through: whole, true, and always the same."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounced.cli.demo_history import build
from bounced.cli.demo_parts import write_quiet_config
from bounced.config import load
from bounced.daemon.wiring import store
from bounced.model import By, Category, DeliveryState, Move, ReportQuery
from bounced.store import Store
from tests.cli.conftest import call

#: What takes ten seconds takes many times as long where everything else is tested beside it.
pytestmark = pytest.mark.timeout(600)
END = datetime(2026, 11, 21, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    config = load(write_quiet_config(tmp_path_factory.mktemp("history")))
    build(config, END)
    with closing(store(config)) as opened:
        yield opened


def test_every_kind_of_event_is_in_it_over_all_the_weeks(history: Store) -> None:
    events = list(history.events())

    amounts = Counter(event.category for event in events)
    assert amounts[Category.HARD] > amounts[Category.SOFT] > amounts[Category.COMPLAINT] > 40
    assert {event.at.isocalendar().week for event in events} == set(range(34, 48))
    assert min(event.at for event in events) < END - timedelta(days=89)
    assert max(event.at for event in events) <= END
    assert len({event.provider for event in events}) > 5
    assert len({event.tags.campaign for event in events}) > 8
    assert {event.tags.list for event in events} >= {"newsletter", "offers", "customers"}


def test_rates_are_those_of_a_decent_sender(history: Store) -> None:
    """But for the list that somebody bought."""
    report = history.report(ReportQuery(END.date() - timedelta(days=90), END.date(), By.CAMPAIGN))
    rates = {row.key: row.figures.hard / row.figures.sent for row in report.rows if row.figures.sent}

    assert len(rates) > 8
    assert rates.pop("Trade fair contacts") > 0.05
    assert all(rate < 0.02 for rate in rates.values())


def test_letter_days_stand_out(history: Store) -> None:
    """As a weekly mailing makes them."""
    days = Counter(event.at.weekday() for event in history.events())

    assert {day for day, _ in days.most_common(2)} == {1, 3}


def test_an_outage_was_held_and_released_and_one_is_open(history: Store) -> None:
    now, then = history.all_waves()

    assert (now.state, now.provider) == ("open", "gmx")
    assert (then.state, then.provider) == ("released", "google")
    assert history.held_amounts([now.id, then.id])[then.id] > 200
    assert all(not history.suppressed([member.address]) for member in history.held(now.id))


def test_a_block_raised_an_alarm_that_is_over_and_one_stands(history: Store) -> None:
    now, then = history.all_alarms()

    assert (now.cleared_at, now.provider, now.reason) == (None, "yahoo", "content_block")
    assert then.cleared_at
    assert (then.provider, then.reason) == ("m365", "reputation_block")


def test_entries_came_of_every_cause_and_some_ended(history: Store) -> None:
    entries = list(history.suppressions())
    full = next(entry for entry in entries if entry.reason == "mailbox_full")

    assert {"mailbox_unknown", "mailbox_disabled", "abuse", "unsubscribe"} <= {entry.reason for entry in entries}
    assert [line.move for line in history.journal_of(full.address)][:1] == [Move.SUPPRESS]
    assert full.until
    assert any(entry.disputed for entry in entries)
    assert {"bounced", "import"} == {entry.actor for entry in entries}


def test_endpoints_were_told_and_one_was_gone(history: Store) -> None:
    counts = history.delivery_counts()

    assert counts["shop", DeliveryState.DONE] > 300
    assert counts["crm", DeliveryState.DEAD] > 2
    assert ("shop", DeliveryState.OPEN) not in counts


def test_some_mails_wait_for_a_person(history: Store) -> None:
    unclear = [event for event in history.events() if event.reason == "unknown"]

    assert len({event.diagnostic.split()[1] for event in unclear if event.diagnostic}) == 3


def test_the_same_seed_and_end_make_the_same(tmp_path: Path) -> None:
    """Whoever takes pictures of it, or counts in a test, can rely on it."""
    told = []
    for name in ("a", "b"):
        folder = tmp_path / name
        done = call("demo", "--history-only", "--folder", str(folder), "--end", "2026-11-21T15:00:00Z", "--days", "8")
        assert done.returncode == 0, done.stderr
        with closing(store(load(folder / "config.yaml"))) as opened:
            told.append(([(e.id, e.at, e.decision) for e in opened.events()], list(opened.suppressions())))

    assert told[0] == told[1]
    assert len(told[0][0]) > 200
