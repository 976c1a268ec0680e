"""The review queue on either database: grouped by masked wording, settled by persons, and made into rules that hold."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from bounced.classify import Rules
from bounced.classify.masking import masked
from bounced.cli.app import app
from bounced.config import Database
from bounced.model import Category, Cause, Disposition, Fault, Kind, Outcome, Place, Reason, Settled
from bounced.reviewing import FILE, Review
from bounced.store import Store
from tests.store.conftest import event

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOON = "550 the tenant of <{}> has left us for the moon, ticket {}"
SINCE = NOW - timedelta(days=30)


@cache
def shipped() -> Rules:
    return Rules.load()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = Store.open(Database(url=database_url))
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Store]:
    """Return a ledger for what does not depend on its kind."""
    made = Store.open(Database(url=f"sqlite:///{tmp_path}/own.db"))
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def local(tmp_path: Path) -> Path:
    folder = tmp_path / "own rules"
    folder.mkdir()
    return folder


def unknown(number: int, text: str, **more: Any) -> Any:
    """Return an event that no rule understood."""
    row = {"category": Category.SOFT, "reason": Reason.UNKNOWN, "fault": Fault.NONE, "rule": "reply.unclear"}
    return event(number, NOW - timedelta(minutes=number), diagnostic=text, **(row | more))


def put(store: Store, *events: Any) -> None:
    with store.begin() as tx:
        tx.record(events)


def review(store: Store, local: Path | None = None) -> Review:
    return Review(store, shipped(), local)


def moons(store: Store, amount: int = 12) -> None:
    put(
        store,
        *(
            unknown(n, MOON.format(f"u{n}@example.org", 7_000 + n), provider="google" if n % 3 else None)
            for n in range(amount)
        ),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 5.1.1 <a@x.example> parked, ref 8812", "550 5.1.1 <bob.b@y.example> parked, ref 17"),
        ("451 4T2kQz1XyZ9 held at mx1.a.example[192.0.2.1]", "451 9Qx7ZZ1abcd held at mx2.b.example[198.51.100.7]"),
        ("554 see https://a.example/x?id=1 for 'qz17'", "554 see https://b.example/y for 'zz99'"),
        ("550 later than 2026-11-21 12:00:01", "550 later than 2026-01-01 00:00:59"),
    ],
)
def test_what_differs_from_mail_to_mail_is_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)
    assert "example" not in masked(one)


@pytest.mark.parametrize(
    ("one", "other"), [("550 [TSS04] no", "550 [TSS09] no"), ("550 5.7.1 no", "450 4.7.1 no"), ("550 a b", "550 b a")]
)
def test_what_means_something_is_not(one: str, other: str) -> None:
    assert masked(one) != masked(other)


def test_grouped_by_wording(store: Store) -> None:
    """Twelve reports about twelve people are one line, with its providers, its numbers and its time."""
    moons(store)
    put(store, unknown(100, "421 come back when the fog has lifted"), event(101, NOW))

    first, second = review(store).wordings(SINCE)

    assert (first.amount, first.addresses, first.providers) == (12, 12, [("google", 8)])
    assert first.text == "550 the tenant of <@> has left us for the moon, ticket <n>"
    assert (first.first_at, first.last_at) == (NOW - timedelta(minutes=11), NOW)
    assert [each.address for each in first.examples] == [f"user{n}@example.org" for n in range(5)]
    assert (second.amount, second.cause) == (1, Cause.UNKNOWN)


def test_every_cause_is_told_apart(store: Store) -> None:
    put(
        store,
        unknown(1, "550 blah"),
        event(2, NOW, diagnostic="550 5.1.1 over quota", disagreed=('status 5.1.1 against text "over quota"',)),
        event(3, NOW, address=None, diagnostic="550 gone"),
        event(4, NOW, kind=Kind.OTHER, category=None, reason=None, rule="kind.other", diagnostic="", reader="ticket"),
        event(5, NOW, diagnostic="552 abc", rule="reply.storage"),
        event(6, NOW, kind=Kind.OTHER, subtype="mdn", category=None, reason=None, rule="kind.other"),
        event(7, NOW),
        event(8, NOW, diagnostic="452 x", rule="google.unknown", disagreed=("a receiver knows what its codes mean",)),
    )
    with store.begin() as tx:
        place = Place("returns", "INBOX", 1, 9)
        tx.settle([(Outcome(place, Disposition.QUARANTINE, "17 levels of MIME; the limit is 10"), "d" * 64)])

    found = {each.cause: each.text for each in review(store).wordings(datetime(2020, 1, 1, tzinfo=UTC))}

    assert set(found) == set(Cause)
    assert found[Cause.PUZZLING] == "(ticket)"
    assert found[Cause.QUARANTINE] == "<n> levels of MIME; the limit is <n>"
    assert found[Cause.CONTRADICTION] == "550 over quota"


def test_a_contradiction_names_who_believed_the_words(ledger: Store) -> None:
    put(ledger, event(2, NOW, diagnostic="550 5.1.1 over quota", rule="full.said", disagreed=("status 5.1.1",)))
    (found,) = review(ledger).wordings(SINCE)
    assert (found.rule, found.text) == ("full.said", "550 over quota")


def test_settled_until_it_comes_again(store: Store) -> None:
    moons(store, 3)
    queue = review(store)
    (found,) = queue.wordings(SINCE)

    queue.dismiss(found.key, "page:ops", NOW)

    assert queue.wordings(SINCE) == []
    assert [each.amount for each in queue.wordings(SINCE, everything=True)] == [3]
    assert store.settled()[found.key] == Settled(found.key, NOW, "page:ops", "dismissed")
    put(store, replace(unknown(9, MOON.format("z@example.org", 1)), at=NOW + timedelta(hours=1)))
    assert [(each.key, each.amount) for each in queue.wordings(SINCE)] == [(found.key, 1)]


def test_superseded_reports_are_gone(store: Store) -> None:
    moons(store, 2)
    with store.begin() as tx:
        tx.supersede({unknown(n, "").id: "replay" for n in range(2)})
    assert review(store).wordings(SINCE) == []


def test_suggests_a_rule_that_names_nobody(ledger: Store) -> None:
    moons(ledger)
    queue = review(ledger)
    (found,) = queue.wordings(SINCE)

    made = queue.suggest(found)

    assert made is not None
    assert "moon" in made.proposal.text
    assert not any("example.org" in text for text in made.proposal.matches)
    assert yaml.safe_load(queue.yaml(made.proposal))[0]["id"] == made.proposal.id


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("550 dear sender: the mailbox of <a@b.example> is over its quota and refuses letters", Reason.MAILBOX_FULL),
        ("550 hier wohnt keiner", Reason.UNKNOWN),
    ],
)
def test_guesses_by_likeness_or_not_at_all(ledger: Store, text: str, reason: Reason) -> None:
    put(ledger, unknown(1, text))
    queue = review(ledger)
    made = queue.suggest(queue.wordings(SINCE)[0])
    assert made is not None
    assert made.proposal.reason is reason
    assert bool(made.guessed) is (reason is not Reason.UNKNOWN)


@pytest.mark.parametrize("text", ["550", "", "550 5.1.1", "<a@b.example>", "550 a1 b2"])
def test_no_words_no_rule(ledger: Store, text: str) -> None:
    put(ledger, unknown(1, text))
    queue = review(ledger)
    assert queue.suggest(queue.wordings(SINCE)[0]) is None


def test_review_to_rule(ledger: Store, local: Path) -> None:
    """The accepted rule is written, holds in the whole set, says what it changes, and takes the reports from now on."""
    moons(ledger)
    queue = review(ledger, local)
    (found,) = queue.wordings(SINCE)
    made = queue.suggest(found)
    assert made is not None
    proposal = replace(made.proposal, reason=Reason.MAILBOX_UNKNOWN)

    trial = queue.accept(found.key, proposal, "page:ops", NOW)

    assert trial.problems == ()
    assert (trial.asked, trial.hits, trial.changes) == (12, 12, 12)
    assert trial.moves == (("soft unknown (none)", "hard mailbox_unknown (recipient)", 12),)
    assert "by page:ops" in (local / FILE).read_text()
    verdict = Rules.load(None, local).classify_reply(MOON.format("new@example.org", 1))
    assert (verdict.rule, verdict.category) == (proposal.id, Category.HARD)
    assert queue.wordings(SINCE) == []
    assert ledger.settled()[found.key].how == f"rule {proposal.id}"
    assert sorted(path.name for path in local.iterdir()) == [FILE]


def test_only_at_a_provider(ledger: Store, local: Path) -> None:
    moons(ledger)
    queue = review(ledger, local)
    (found,) = queue.wordings(SINCE)
    made = queue.suggest(found)
    assert made is not None
    proposal = replace(
        made.proposal, reason=Reason.MAILBOX_FULL, provider="google", host=queue.host_of("google"), fault=Fault.PROVIDER
    )

    assert queue.accept(found.key, proposal, "ops", NOW).problems == ()

    rules = Rules.load(None, local)
    assert rules.classify_reply(MOON.format("a@b.example", 1), "mx.nowhere.example").rule != proposal.id
    there = rules.classify_reply(MOON.format("a@b.example", 1), queue.host_of("google"))
    assert (there.rule, there.fault) == (proposal.id, Fault.PROVIDER)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": "("}, "RE2 does not take"),
        ({"text": "another planet"}, "shadowed by reply.unclear"),
        ({"text": "."}, "which it lists in `rejects`"),
        ({"id": "google.unknown"}, "used 2 times"),
        ({"id": "Own Rule"}, "want an id of lower-case"),
        ({"because": " "}, "want `because`"),
    ],
)
def test_a_rule_that_does_not_hold_replaces_nothing(
    ledger: Store, local: Path, change: dict[str, Any], said: str
) -> None:
    moons(ledger)
    before = "# mine\n- id: mine\n  when: {text: 'fog'}\n  reason: network\n  because: Mine.\n  matches: ['421 fog']\n"
    (local / FILE).write_text(before + "  rejects: ['421 sun']\n")
    kept = (local / FILE).read_text()
    queue = review(ledger, local)
    (found,) = queue.wordings(SINCE)
    made = queue.suggest(found)
    assert made is not None

    trial = queue.accept(found.key, replace(made.proposal, reason=Reason.NETWORK, **change), "ops", NOW)

    assert any(re.search(said, problem) for problem in trial.problems), trial.problems
    assert (local / FILE).read_text() == kept
    assert queue.wordings(SINCE) != []


def test_a_second_rule_stands_behind_the_first(ledger: Store, local: Path) -> None:
    moons(ledger)
    put(ledger, unknown(50, "421 the fog has not lifted over our harbour"))
    queue = review(ledger, local)
    for found in queue.wordings(SINCE):
        made = queue.suggest(found)
        assert made is not None
        who = "o\x07p\x7fs\u2028- id: x"
        assert queue.accept(found.key, replace(made.proposal, reason=Reason.NETWORK), who, NOW).problems == ()
    assert len(yaml.safe_load((local / FILE).read_text())) == 2
    assert (local / FILE).read_text().count("# Rules accepted") == 1


def test_without_a_folder_nothing_is_written(ledger: Store, tmp_path: Path) -> None:
    moons(ledger)
    for folder, said in ((None, "rules.local"), (tmp_path / "gone", "is no folder")):
        queue = review(ledger, folder)
        (found,) = queue.wordings(SINCE)
        made = queue.suggest(found)
        assert made is not None
        trial = queue.accept(found.key, replace(made.proposal, reason=Reason.NETWORK), "ops", NOW)
        assert said in trial.problems[0]
        assert trial.yaml


def test_many_reports_are_found_by_index(store: Store) -> None:
    """The queue of a large ledger is read by an index of its own, on either database."""
    put(store, *(event(n, NOW) for n in range(1_000, 1_400)))
    moons(store, 3)
    with store._read() as connection:
        from sqlalchemy import select, text

        from bounced.store.review_tables import UNCLEAR
        from bounced.store.tables import event as table

        wanted = select(table.c.id).where(text(UNCLEAR), table.c.at >= SINCE).order_by(table.c.at.desc()).limit(9)
        sql = str(wanted.compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE event")
        prefix = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        plan = " ".join(map(str, connection.exec_driver_sql(prefix + sql.replace("%", "%%"))))
    assert "ix_event_unclear" in plan


@pytest.fixture
def configured(tmp_path: Path, local: Path) -> Callable[..., Result]:
    """Return what runs `bounced review` on a ledger of four reports that nobody understood."""
    config = tmp_path / "config.yaml"
    url = f"sqlite:///{tmp_path}/b.db"
    config.write_text(yaml.safe_dump({"database": {"url": url}, "rules": {"local": str(local)}}))
    made = Store.open(Database(url=url))
    made.upgrade()
    put(made, *(replace(unknown(n, MOON.format(f"u{n}@example.org", n)), at=datetime.now(UTC)) for n in range(4)))
    made.close()
    return lambda *arguments: CliRunner().invoke(app, ["--config", str(config), "review", *arguments])


def test_by_command(configured: Callable[..., Result], local: Path) -> None:
    """list, show, accept, and then nothing is left."""
    listed = configured("list", "--format", "jsonl")
    assert listed.exit_code == 0, listed.output
    row = json.loads(listed.stdout)
    assert (row["amount"], row["cause"], row["providers"]) == (4, "unknown", {})

    shown = configured("show", row["key"])
    assert "- id: own." in shown.stdout
    unsure = configured("accept", row["key"], "--yes")
    assert (unsure.exit_code, "--reason" in unsure.stderr) == (2, True)
    accepted = configured("accept", row["key"], "--reason", "mailbox_unknown", "--id", "own.moon", "--yes")
    assert accepted.exit_code == 0, accepted.output
    assert "takes 4 of the newest 4 failures, 4 of them with another verdict" in accepted.stderr
    assert "own.moon" in (local / FILE).read_text()
    assert configured("list").exit_code == 1
    assert configured("dismiss", row["key"]).exit_code == 0
    assert configured("show", "no such key").exit_code == 1
