"""Past reports judged again: what would change is shown, and made so when asked, by the journal, once."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bounced.config import Config, Rules, parse
from bounced.daemon import replay as replaying
from bounced.daemon import wiring
from bounced.daemon.replay import Replay, Replayed, Span
from bounced.model import Move, Place, RawMessage
from bounced.pipeline import Reading, handle, judge_here
from bounced.store import EventQuery, Store
from tests.test_trouble import dsn

NOW = datetime.now(UTC).replace(microsecond=0)
ADDRESS = "gone1@remote.example"


@pytest.fixture
def config(database_url: str) -> Config:
    return parse({"database": {"url": database_url}, "limits": {"workers": 1}}, {})


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    with closing(wiring.store(config)) as store:
        store.upgrade()
        yield store


@cache
def reading(local: Path | None) -> Reading:
    """Return the stages up to the ledger, which take a moment to load, with rules of the operator's own."""
    return wiring.reading(Config(rules=Rules(local=local)))


def take(config: Config, store: Store, *contents: bytes, at: datetime = NOW) -> None:
    """Handle mails as the daemon does."""
    built = wiring.stages(config, store)
    stages = type(built)(
        judge_here(reading(config.rules.local)),
        built.decide,
        built.compose,
        built.ledger,
        watch=built.watch,
        keep=built.keep,
    )
    batch = [RawMessage(Place("returns", "INBOX", 1, n), c, len(c), at) for n, c in enumerate(contents, 1)]
    handle(batch, stages, at)


def other(config: Config, **rule: Any) -> Config:
    """Return the configuration with a rule of the operator's own before the others."""
    folder = Path(rule.pop("folder"))
    folder.mkdir(exist_ok=True)
    lines = "\n".join(f"  {name}: {value}" for name, value in rule.items())
    (folder / "10-own.yaml").write_text(f"- id: own.rule\n{lines}\n")
    return config.model_copy(update={"rules": config.rules.model_copy(update={"local": folder})})


def again(config: Config, store: Store, now: datetime = NOW) -> tuple[Replay, Replayed]:
    run = Replay(config, store, now + timedelta(minutes=1))
    return run, run.compare(Span(now - timedelta(days=1), now + timedelta(days=1)))


@pytest.fixture
def milder(config: Config, tmp_path: Path) -> Config:
    """Rules that take the wording of the reports for a full mailbox."""
    return other(
        config,
        folder=str(tmp_path / "own"),
        when="{text: 'user unknown'}",
        reason="mailbox_full",
        because="A host that says so of full mailboxes.",
        matches="['550 5.1.1 User unknown']",
        rejects="['552 over quota']",
    )


def state(store: Store) -> tuple[list[Any], list[Any], int]:
    lines = [line for n in range(5) for line in store.journal_of(f"gone{n}@remote.example")]
    return list(store.events(EventQuery(superseded=True))), lines, len(store.deliveries())


def test_the_same_rules_change_nothing(config: Config, store: Store) -> None:
    """Every verdict stands on the diagonal."""
    take(config, store, dsn(1), dsn(2))
    before = state(store)

    run, found = again(config, store)

    assert dict(found.matrix) == {("hard mailbox_unknown", "hard mailbox_unknown"): 2}
    assert (found.messages, found.different, found.gained, found.lost) == (2, [], [], [])
    assert run.apply(found, "test") == 0
    assert state(store) == before


def test_looking_changes_nothing(config: Config, milder: Config, store: Store) -> None:
    """Old against new, and who would be free."""
    take(config, store, dsn(1), dsn(2))
    before = state(store)

    _, found = again(milder, store)

    assert dict(found.matrix) == {("hard mailbox_unknown", "soft mailbox_full"): 2}
    assert [entry.address for entry in found.lost] == [ADDRESS, "gone2@remote.example"]
    assert found.gained == []
    assert state(store) == before


def test_applied_it_releases_by_the_journal(config: Config, milder: Config, store: Store) -> None:
    """The old event stays, superseded; the new one stands at its time, with the report's address and digest."""
    take(config, store, dsn(1))
    (old,) = store.events()
    run, found = again(milder, store)

    assert run.apply(found, "a better rule") == 1

    assert store.suppressed([ADDRESS]) == {}
    released = store.journal_of(ADDRESS)[-1]
    assert (released.move, released.actor, released.why) == (Move.RELEASE, "replay", "a better rule")
    (new,) = store.events()
    assert store.event(old.id).superseded_by == new.id  # type: ignore[union-attr]
    assert (new.at, new.address, new.digest, new.place) == (old.at, old.address, old.digest, old.place)
    assert (new.reason, new.rule) == ("mailbox_full", "own.rule")
    assert new.decision.startswith("judged again on ")


def test_applied_twice_it_is_applied_once(config: Config, milder: Config, store: Store) -> None:
    """Also what was broken off is only gone on with."""
    take(config, store, dsn(1), dsn(2))
    run, found = again(milder, store)
    run.apply(found, "a better rule")
    before = state(store)

    run, found = again(milder, store)

    assert found.different == []
    assert run.apply(found, "again") == 0
    assert state(store) == before


def test_the_same_report_counts_nothing_after_it(config: Config, milder: Config, store: Store) -> None:
    """Moved back into the mailbox, under old rules or new; a copy too, whose bytes differ."""
    take(config, store, dsn(1))
    run, found = again(milder, store)
    run.apply(found, "a better rule")
    before = state(store)[:2]

    take(config, store, dsn(1), b"Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\n" + dsn(1))
    take(milder, store, b"Received: from c by d; Sat, 21 Nov 2026 12:00:00 +0000\n" + dsn(1))

    assert state(store)[:2] == before
    assert store.suppressed([ADDRESS]) == {}


def test_what_was_wrong_can_be_made_right_again(config: Config, milder: Config, store: Store) -> None:
    """The old rules once more: suppressed again, by the journal, with events of their own."""
    take(config, store, dsn(1))
    run, found = again(milder, store)
    run.apply(found, "thought better")
    run, found = again(config, store, NOW + timedelta(minutes=2))

    assert [change.address for change in found.gained] == [ADDRESS]
    run.apply(found, "was worse")

    entry = store.suppressed([ADDRESS])[ADDRESS]
    assert (entry.reason, entry.actor) == ("mailbox_unknown", "bounced")
    (event,) = store.events()
    assert entry.event_id == event.id
    assert len(list(store.events(EventQuery(superseded=True)))) == 3


def test_what_a_person_wrote_or_released_stands(config: Config, milder: Config, store: Store) -> None:
    """A second judgement overrules the program's first one, nobody else."""
    take(config, store, dsn(1), dsn(2))
    first, second = (store.histories([f"gone{n}@remote.example"], NOW) for n in (1, 2))
    lines = []
    for history in (*first.values(), *second.values()):
        (entry,) = history.suppressions
        change = store.journal_of(entry.address)[-1]
        lines.append(type(change)(entry.address, "*", Move.SUPPRESS, NOW, "manual", "manual", "I know", actor="ann"))
    lines[1] = type(lines[1])(lines[1].address, "*", Move.RELEASE, NOW, "hard", "mailbox_unknown", "alive", actor="ann")
    with store.begin() as tx:
        tx.journal(lines)

    run, found = again(milder, store)
    run.apply(found, "a better rule")

    assert (found.gained, found.lost) == ([], [])
    assert store.suppressed([ADDRESS])[ADDRESS].actor == "ann"
    run, found = again(config, store, NOW + timedelta(minutes=2))
    assert found.gained == []


def test_a_report_that_was_cut_is_not_judged_again(config: Config, milder: Config, store: Store) -> None:
    """It is counted, and its verdict stands."""
    short = config.model_copy(update={"evidence": config.evidence.model_copy(update={"max_bytes": 100})})
    take(short, store, dsn(1))

    _, found = again(milder, store)

    assert (found.messages, found.cut, found.different) == (0, 1, [])


def test_many_are_judged_in_processes(
    config: Config, milder: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same outcome."""
    monkeypatch.setattr(replaying, "_FEW", 1)
    take(config, store, *(dsn(n) for n in range(4)))

    _, found = again(milder, store)

    assert found.matrix == {("hard mailbox_unknown", "soft mailbox_full"): 4}
    assert len(found.lost) == 4


def test_other_rules_stand_for_the_shipped(config: Config, store: Store, tmp_path: Path) -> None:
    """A folder with one rule: whatever it does not know is unknown."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10-one.yaml").write_text(
        "- id: one.rule\n  when: {text: 'mailbox is full'}\n  reason: mailbox_full\n  because: Says so.\n"
        "  matches: ['mailbox is full']\n  rejects: ['no such user']\n"
    )
    take(config, store, dsn(1))
    run = Replay(config, store, NOW + timedelta(minutes=1))

    found = run.compare(Span(NOW - timedelta(hours=1), NOW + timedelta(hours=1), tmp_path / "rules"))

    assert found.messages == 1
    assert sum(found.matrix.values()) == 1
