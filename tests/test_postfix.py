"""A real Postfix asks, in each of the ways of docs/postfix.md, with the lines that stand there."""

import re
import shutil
import smtplib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bounced.config import Database, Lookups
from bounced.model import Change, Move
from bounced.serve.lookups import Listeners
from bounced.store import Store
from tests.servers.postfix import Postfix, free_port
from tests.servers.postgres import Postgres
from tests.servers.smtp import Receiver

PAGE = (Path(__file__).parents[1] / "docs" / "postfix.md").read_text()
NOW = datetime.now(UTC)
REFUSED = f"on the suppression list since {NOW:%Y-%m-%d}: mailbox_unknown"

pytestmark = [pytest.mark.usefixtures("needs_postfix"), pytest.mark.slow]


def block(name: str, fits: str = "") -> str:
    """Return the one block of the page with this name that holds these words."""
    (found,) = (b for b in re.findall(rf"^```{re.escape(name)}\n(.*?)^```", PAGE, re.M | re.S) if fits in b)
    return str(found)


def restrictions(fits: str, **changes: str) -> dict[str, str]:
    """Return the setting of main.cf in the block with these words, with ports and paths of the test."""
    name, _, value = block("main.cf", fits).partition(" =")
    for old, new in changes.items():
        value = value.replace(PLACES[old], new)
    return {name: " ".join(value.split("\n"))}


PLACES = {
    "socketmap": "inet:127.0.0.1:10031",
    "policy": "inet:127.0.0.1:10032",
    "pgsql": "/etc/postfix/suppressed-pgsql.cf",
    "sqlite": "/etc/postfix/suppressed-sqlite.cf",
    "cdb": "cdb:/var/lib/bounced/suppressed",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postfix may use too, which runs as a user of its own."""
    made = Path(tempfile.mkdtemp(prefix="bounced-lookups-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """One dead address, one that left a list, one whose time is over."""
    opened = filled(f"sqlite:///{folder}/bounced.db")
    (folder / "bounced.db").chmod(0o666)
    yield opened
    opened.close()


def filled(url: str) -> Store:
    store = Store.open(Database(url=url))
    store.upgrade()
    day = timedelta(days=1)
    with store.begin() as tx:
        tx.journal(
            [
                Change("gone@remote.example", "*", Move.SUPPRESS, NOW, "hard", "mailbox_unknown", "dead"),
                Change("left@remote.example", "newsletter", Move.SUPPRESS, NOW, "manual", "unsubscribe", "asked"),
                Change("over@remote.example", "*", Move.SUPPRESS, NOW - day, "soft", "expired", "", NOW),
            ]
        )
    return store


@contextmanager
def answering(store: Store, settings: Lookups) -> Iterator[list[str]]:
    listeners = Listeners(settings, store.lookup, lambda _service, _found: None)
    listeners.start()
    try:
        yield listeners.addresses
    finally:
        listeners.stop()


@contextmanager
def away(file: Path) -> Iterator[None]:
    """Have the database somewhere else meanwhile."""
    file.rename(file.with_suffix(".away"))
    yield
    file.with_suffix(".away").rename(file)


@contextmanager
def submission(extra: dict[str, str]) -> Iterator[Postfix]:
    with Receiver({}) as receiver, Postfix(1, {"remote.example": receiver.port}, extra=extra) as postfix:
        yield postfix


def reply(postfix: Postfix, recipient: str, sender: str = "shop@lists.example.net") -> str:
    """Return what Postfix says to RCPT TO."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
        client.ehlo()
        client.mail(sender)
        code, text = client.rcpt(recipient)
        return f"{code} {text.decode()}"


def test_the_socketmap_refuses_the_dead_and_nobody_else(store: Store) -> None:
    """In the dialogue, with the reason and the date."""
    with (
        answering(store, Lookups(socketmap=("127.0.0.1:0",))) as (where,),
        submission(restrictions("socketmap", socketmap=where)) as postfix,
    ):
        told = reply(postfix, "Gone@Remote.example")
        assert told.startswith("554 5.1.1 <Gone@Remote.example>: Recipient address rejected")
        assert told.endswith(REFUSED)
        for well in ("well@remote.example", "left@remote.example", "over@remote.example", "remote@gone.remote.example"):
            assert reply(postfix, well).startswith("250 "), well


@pytest.mark.parametrize(("fail", "code"), [("closed", "451 4.3.5 "), ("open", "250 ")])
def test_without_the_database_mail_waits_or_passes_as_chosen(store: Store, folder: Path, fail: str, code: str) -> None:
    """Without the daemon it always waits."""
    with (
        answering(store, Lookups.model_validate({"fail": fail, "socketmap": ["127.0.0.1:0"]})) as (where,),
        submission(restrictions("socketmap", socketmap=where)) as postfix,
    ):
        assert reply(postfix, "well@remote.example").startswith("250 ")
        with away(folder / "bounced.db"):
            assert reply(postfix, "well@remote.example").startswith(code)


def test_without_the_daemon_the_socketmap_means_later_and_the_policy_service_passes() -> None:
    """As long as main.cf says default_action=DUNNO."""
    nobody = f"inet:127.0.0.1:{free_port()}"
    with submission(restrictions("socketmap", socketmap=nobody)) as postfix:
        assert reply(postfix, "gone@remote.example").startswith("451 ")
    with submission(restrictions("default_action", policy=nobody)) as postfix:
        assert reply(postfix, "gone@remote.example").startswith("250 ")


def test_the_policy_service_asks_in_the_scope_of_the_sender(store: Store, folder: Path) -> None:
    """The list's own mail is refused to whom has left it; without the database mail waits."""
    settings = {"policy": ["127.0.0.1:0"], "senders": [{"sender": "news@lists.example.net", "scope": "newsletter"}]}
    with (
        answering(store, Lookups.model_validate(settings)) as (where,),
        submission(restrictions("default_action", policy=where)) as postfix,
    ):
        assert reply(postfix, "gone@remote.example").endswith(REFUSED)
        assert reply(postfix, "left@remote.example").startswith("250 ")
        assert "unsubscribe" in reply(postfix, "left@remote.example", "news+1k1@lists.example.net")
        assert reply(postfix, "well@remote.example", "news@lists.example.net").startswith("250 ")
        with away(folder / "bounced.db"):
            assert re.match("45[01] 4.3.0 ", reply(postfix, "well@remote.example"))


def test_postfix_asks_the_view_itself(store: Store, folder: Path, postgres: Postgres) -> None:
    """Both databases, by Postfix's own tables, with the queries of the page; each knows one the other does not."""
    url = postgres.database()
    other = filled(url)
    with other.begin() as tx:
        tx.journal([Change("there@remote.example", "*", Move.SUPPRESS, NOW, "hard", "mailbox_unknown", "dead")])
    other.close()
    known = conninfo_to_dict(url)
    schema = str(known["options"]).rpartition("=")[2]
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f'ALTER ROLE postgres IN DATABASE postgres SET search_path = "{schema}"')
    try:
        pgsql = block("suppressed-pgsql.cf").replace("db.example.org", f"127.0.0.1:{known['port']}")
        pgsql = pgsql.replace("dbname = bounced", "dbname = postgres").replace("user = reader", "user = postgres")
        (folder / "pgsql.cf").write_text(pgsql)
        sqlite = block("suppressed-sqlite.cf").replace("/var/lib/bounced", str(folder))
        (folder / "sqlite.cf").write_text(sqlite)
        for file in folder.glob("bounced.db*"):
            file.chmod(0o644)  # as the page says: Postfix asks as a user of its own
        main = restrictions("proxy:", pgsql=f"{folder}/pgsql.cf", sqlite=f"{folder}/sqlite.cf")
        with submission(main) as postfix:
            for dead in ("gone@remote.example", "There@remote.example"):
                assert reply(postfix, dead).endswith(REFUSED), postfix.log()
            assert "unsubscribe" in reply(postfix, "left@remote.example")
            for well in ("well@remote.example", "over@remote.example"):
                assert reply(postfix, well).startswith("250 "), postfix.log()
    finally:
        with psycopg.connect(postgres.url(), autocommit=True) as admin:
            admin.execute("ALTER ROLE postgres IN DATABASE postgres RESET search_path")
