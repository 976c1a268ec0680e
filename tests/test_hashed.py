"""Where hashes are kept for addresses: everything that is asked by address works, and no address is in the database."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bounced import Suppressions
from bounced.changing import witness
from bounced.config import Config, Secret, parse
from bounced.daemon import wiring
from bounced.errors import ConfigError, StoreDown
from bounced.model import Change, Move, Place, RawMessage, Sent, Sign, SignOfLife, Trust
from bounced.pipeline import Reading, handle, judge_here
from bounced.sealing import MASK, Seal
from bounced.store import Erasure, EventQuery, Store, SuppressionQuery, Terms
from bounced.store.hashing_steps import STEPS
from bounced.store.privacy import personal_columns
from bounced.store.tables import metadata

NOW = datetime.now(UTC).replace(microsecond=0)
KEY, OTHER_KEY = "a key that nobody guesses", "a key that somebody else has"
#: Each is looked for in everything that is kept.
ERIKA, BOB, LEA = "erika.mustermann+news@customer.example", "bob@elsewhere.example", "lea@third.example"
FORWARDED, FINAL = "list@customer.example", "e.mustermann@behind.example"
NEVER = ("mustermann", "customer.example", "bob@", "lea@", "secret words")


def dsn(recipient: str, final: str, uid: int = 1) -> bytes:
    return f"""From: MAILER-DAEMON@mx.isp.example
To: returns@sender.example
Subject: Undelivered Mail
Date: {NOW:%a, %d %b %Y %H:%M:%S} +0000
Message-ID: <{uid}@mx.isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

It failed.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.isp.example

Original-Recipient: rfc822; {recipient}
Final-Recipient: rfc822; {final}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.isp.example
Diagnostic-Code: smtp; 550 5.1.1 <{final}>: user unknown, {recipient.partition("@")[0].upper()} is no mailbox

--=_b
Content-Type: text/rfc822-headers

From: shop@sender.example
To: {recipient}
Subject: Secret words for you
Message-ID: <{uid}.{recipient.partition("@")[0]}@sender.example>

--=_b--
""".encode()


def config_of(url: str, **privacy: Any) -> Config:
    settings = {"addresses": "hashed", "key": KEY} | privacy
    return parse({"database": {"url": url}, "privacy": settings, "limits": {"workers": 1}}, {})


def plainly(config: Config) -> Config:
    return config.model_copy(update={"privacy": config.privacy.model_copy(update={"addresses": "plain"})})


@pytest.fixture
def config(database_url: str) -> Config:
    return config_of(database_url)


@pytest.fixture
def opened() -> Iterator[Callable[[Config], Store]]:
    """Return what opens a store as the program does; all are closed at the end."""
    stores: list[Store] = []

    def open_(config: Config) -> Store:
        stores.append(wiring.store(config))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


@pytest.fixture
def store(config: Config, opened: Callable[[Config], Store]) -> Store:
    found = opened(config)
    found.upgrade()
    return found


@cache
def reading() -> Reading:
    """Return the stages up to the ledger, which take a moment to load."""
    return wiring.reading(Config())


def take(config: Config, store: Store, *contents: bytes, uid: int = 1) -> None:
    stages = replace(wiring.stages(config, store), judge=judge_here(reading()))
    place = Place("returns", "INBOX", 1, uid)
    batch = [RawMessage(replace(place, uid=uid + n), c, len(c), NOW) for n, c in enumerate(contents)]
    handle(batch, stages, NOW)


def fill(config: Config, store: Store) -> None:
    """Let an address into every table that takes any, as it comes there: by mail, person, import and program."""
    store.webhooks = {"shop": ("*",)}
    take(config, store, dsn(ERIKA, ERIKA), dsn(BOB, BOB, 2), dsn(FORWARDED, FINAL, 3))
    stages = wiring.stages(config, store)
    manual = Change(store.name_of(LEA), "news", Move.SUPPRESS, NOW, "manual", "manual", f"{LEA} asked", actor="ann")
    with store.begin() as tx:
        tx.journal([manual])
        tx.announce(stages.compose((), [manual], NOW))
        tx.strike(Place("returns", "INBOX", 1, 9), "d", f"broken by {BOB}", NOW)
    witness([SignOfLife(BOB, Sign.LOGIN, NOW + timedelta(seconds=1), f"login of {BOB}")], stages, NOW)
    store.add_sent([Sent("order-7", ERIKA, f"x.{ERIKA}", at=NOW, return_path=f"b+{ERIKA}@sender.example")], {}, NOW)


def everything(store: Store) -> str:
    """Return every value of every row as one text."""
    with store._read() as connection:
        tables = metadata.sorted_tables
        return "\n".join(repr(row) for table in tables for row in connection.execute(select(table)).all()).lower()


def names_nobody(store: Store, words: str) -> None:
    found = [word for word in NEVER if word in words]
    assert not found, [line for line in words.splitlines() if any(word in line for word in found)]
    assert "hmac:" in words


def octets(store: Store) -> str:
    """Return the file of an SQLite database, with what waits in its log."""
    files = store.file.parent.glob(f"{store.file.name}*")
    return b"".join(path.read_bytes() for path in files).decode("latin-1").lower()


def test_no_address_reaches_the_database(config: Config, store: Store) -> None:
    """Nor its file; the words of servers stay, with a mark where somebody was named."""
    fill(config, store)

    names_nobody(store, everything(store))
    if store.is_sqlite:
        names_nobody(store, octets(store))
    diagnostics = sorted(event.diagnostic or "" for event in store.events())
    assert set(diagnostics) == {f"550 5.1.1 <{MASK}>: user unknown, {MASK} is no mailbox"}
    assert all(event.subject is None and store.kept(event.digest) is None for event in store.events())


def test_everything_that_is_asked_by_address_is_found(config: Config, store: Store) -> None:
    """Table, look-up, journal, events, history, signs; in the scopes where it stands."""
    fill(config, store)
    now = NOW + timedelta(minutes=1)

    assert set(store.suppressed([ERIKA, BOB, LEA, "free@x.example"], now=now)) == {ERIKA, BOB}
    assert store.lookup(ERIKA, now=now) is not None
    assert store.lookup(LEA, now=now) is None
    assert store.lookup(LEA, "news", now) is not None
    assert store.lookup("free@x.example", now=now) is None
    assert [line.move for line in store.journal_of(LEA)] == [Move.SUPPRESS]
    (event,) = store.events(EventQuery(address=FORWARDED))
    assert event.final_recipient == Seal(KEY).name(FINAL)
    assert event.provider == "isp.example"
    assert [event.reason for event in store.events(EventQuery(address=ERIKA))] == ["mailbox_unknown"]
    assert len(store.histories([ERIKA], now)[ERIKA].events) == 1
    assert [sign.kind for sign in store.signs(BOB)] == [Sign.LOGIN]
    assert {"event", "suppression", "suppression_journal"} <= set(store.held_on(ERIKA))
    assert [entry.scope for entry in store.suppressions(SuppressionQuery(begins=LEA))] == ["news"]
    assert list(store.suppressions(SuppressionQuery(domain="customer.example"))) == []
    assert len(list(store.events(EventQuery(begins=ERIKA)))) == 1


def test_a_plain_change_is_told_under_another_id(config: Config, store: Store) -> None:
    """The id of its notification follows from the address: nobody can try addresses against what is kept of it."""
    store.webhooks = {"shop": ("*",)}
    plain = Change(LEA, "*", Move.SUPPRESS, NOW, "manual", "manual", "asked", actor="ann")
    told = wiring.stages(config, store).compose((), [plain], NOW)
    with store.begin() as tx:
        tx.journal([plain])
        tx.announce(told)
        tx.announce(told)

    (delivery,) = store.deliveries()
    assert delivery.notification.id.startswith("msg_h")
    assert delivery.notification.data["address"] == Seal(KEY).name(LEA)
    names_nobody(store, everything(store))


def test_the_same_report_again_changes_nothing_and_a_second_counts(config: Config, store: Store) -> None:
    """Events are told apart as ever, though their keys are others."""
    take(config, store, dsn(ERIKA, ERIKA))
    take(config, store, dsn(ERIKA, ERIKA), uid=2)
    take(config, store, dsn(ERIKA, ERIKA, 3), uid=3)

    assert len(list(store.events(EventQuery(address=ERIKA)))) == 2


def test_a_release_holds_against_old_evidence(config: Config, store: Store) -> None:
    """What a person released stays free until something newer comes."""
    take(config, store, dsn(ERIKA, ERIKA))
    held = store.suppressed([ERIKA])[ERIKA]
    release = Change(held.address, "*", Move.RELEASE, NOW, held.category, held.reason, "a mistake", actor="ann")
    with store.begin() as tx:
        tx.journal([release])
    take(config, store, dsn(ERIKA, ERIKA, 2), uid=2)

    assert not store.suppressed([ERIKA])
    assert [line.move for line in store.journal_of(ERIKA)] == [Move.SUPPRESS, Move.RELEASE]


def test_allowed_addresses_and_domains_are_never_suppressed(database_url: str, opened: Any) -> None:
    """It is told while the address is there, and known ever after."""
    config = config_of(database_url)
    config = config.model_copy(update={"policy": config.policy.model_copy(update={"allow": (BOB, "customer.example")})})
    store = opened(config)
    store.upgrade()
    take(config, store, dsn(ERIKA, ERIKA), dsn(BOB, BOB, 2), dsn(LEA, LEA, 3))
    take(config, store, dsn(ERIKA, ERIKA, 4), dsn(BOB, BOB, 5), uid=8)

    assert set(store.suppressed([ERIKA, BOB, LEA])) == {LEA}


def test_records_of_mails_sent_are_found(config: Config, store: Store) -> None:
    """By the Message-ID and recipient of a report; and where the report names nobody, the record does, by its hash."""
    local = ERIKA.partition("@")[0]
    store.add_sent([Sent("order-7", ERIKA, f"1.{local}@sender.example", at=NOW)], {}, NOW)
    take(config, store, dsn(ERIKA, FINAL))

    (event,) = store.events(EventQuery(address=ERIKA))
    assert event.trust is Trust.MATCHED
    assert "our records" in event.trust_why


def test_a_list_is_taken_in_and_put_out(config: Config, store: Store) -> None:
    """By hash on both sides; the same list again changes nothing."""
    from bounced.exchange import Sorting, Source, open_source

    def take_in(content: str) -> dict[str, int]:
        import io

        source = open_source(io.BytesIO(content.encode()))
        assert isinstance(source, Source)
        with store.taking_in(Terms("import list.csv", NOW)) as intake:
            intake.add(Sorting().passing(source.rows()))
            return dict(intake.commit().added)

    assert take_in(f"address,category,why\n{ERIKA},hard,{ERIKA} is gone\n{BOB},complaint,x\n") == {
        "complaint": 1,
        "hard": 1,
    }
    assert take_in(f"address,category,why\n{ERIKA},hard,\n{Seal(KEY).name(BOB)},complaint,x\n") == {}
    assert set(store.suppressed([ERIKA, BOB])) == {ERIKA, BOB}
    names_nobody(store, everything(store))


def test_a_person_is_erased_and_may_stay_suppressed(config: Config, store: Store) -> None:
    """Under the hash it had already."""
    fill(config, store)
    before = store.counts().suppressions
    erased = store.erase(Erasure(ERIKA, "dpo", f"{ERIKA} asked", NOW, keep_hash=True))
    gone = store.erase(Erasure(BOB, "dpo", "asked", NOW))

    assert (erased.events, erased.suppressions, gone.suppressions) == (1, 1, 1)
    assert set(store.suppressed([ERIKA, BOB])) == {ERIKA}
    assert store.counts().suppressions == before - 1
    assert list(store.events(EventQuery(address=ERIKA))) == []
    names_nobody(store, everything(store))


def test_the_wrong_form_or_key_is_refused(config: Config, store: Store, opened: Callable[[Config], Store]) -> None:
    """Nobody is told to be free because the question was put wrongly, and nothing is written."""
    fill(config, store)
    wrong_key = config.privacy.model_copy(update={"key": Secret(value=OTHER_KEY)})
    for other, why in (
        (plainly(config), "want addresses: hashed"),
        (config.model_copy(update={"privacy": wrong_key}), r"privacy\.key: is not the key"),
    ):
        with closing(wiring.store(other)) as mistaken:
            with pytest.raises(StoreDown, match=why):
                mistaken.lookup(ERIKA)
            with pytest.raises(StoreDown, match=why):
                mistaken.suppressed([ERIKA])
            with pytest.raises(StoreDown, match=why), mistaken.begin():
                pytest.fail("a batch was let in")
            with pytest.raises(StoreDown, match=why), mistaken.taking_in(Terms("x", NOW)):
                pytest.fail("a list was let in")
            assert any("privacy." in problem for problem in mistaken.check())


def test_a_key_that_is_missing_or_short_is_refused(database_url: str, tmp_path: Path) -> None:
    """By the path of the setting."""
    with pytest.raises(ConfigError, match=r"privacy\.key"):
        config_of(database_url, key=None)
    with pytest.raises(ConfigError, match=r"at least 16 octets"):
        wiring.store(config_of(database_url, key="short"))
    assert any("cannot read" in p for p in wiring.problems(config_of(database_url, key={"file": str(tmp_path / "no")})))


def test_a_python_program_asks_with_the_key(config: Config, store: Store, database_url: str) -> None:
    """Without it, or with another, it is told so."""
    fill(config, store)

    with Suppressions(database_url, key=KEY) as asked:
        assert asked.filter([f"Erika <{ERIKA}>", "free@x.example"]) == ["free@x.example"]
        found = asked.check(ERIKA)
    assert found is not None
    assert found.address == ERIKA
    for key in (None, OTHER_KEY):
        with Suppressions(database_url, key=key) as asked, pytest.raises(StoreDown):
            asked.check(ERIKA)


def test_a_database_of_addresses_is_turned_into_one_of_hashes(
    config: Config, opened: Callable[[Config], Store]
) -> None:
    """Everything is found as before, under the hash; no address is left, not in free pages either."""
    plain, store = plainly(config), opened(plainly(config))
    store.upgrade()
    fill(plain, store)
    held = store.counts().suppressions
    assert ERIKA in everything(store)

    sealed = opened(config)
    with pytest.raises(StoreDown, match="pseudonymise"):
        sealed.suppressed([ERIKA])
    amounts = sealed.hashing_amounts()
    told: list[tuple[str, int]] = []
    sealed.hash_addresses("ann", NOW, lambda table, amount: told.append((table, amount)))

    assert {table for table, amount in amounts.items() if amount} == set(dict(told))
    assert min(amounts["event"], amounts["suppression"], amounts["sent"], amounts["raw_evidence"]) >= 1
    names_nobody(sealed, everything(sealed))
    if sealed.is_sqlite:
        names_nobody(sealed, octets(sealed))
    assert set(sealed.suppressed([ERIKA, BOB, LEA])) == {ERIKA, BOB}
    assert sealed.counts().suppressions == held == len(list(sealed.suppressions()))
    (event,) = sealed.events(EventQuery(address=ERIKA))
    assert sealed.suppressed([ERIKA])[ERIKA].event_id == event.id == sealed.journal_of(ERIKA)[0].event_id
    assert all(d.notification.id.startswith("msg_h") for d in sealed.deliveries())
    take(config, sealed, dsn(ERIKA, ERIKA), uid=50)
    assert len(list(sealed.events(EventQuery(address=ERIKA)))) == 1, "a report known before is known still"
    with pytest.raises(StoreDown):
        opened(plain).suppressed([ERIKA])


def test_a_conversion_that_breaks_off_goes_on_where_it_was(config: Config, opened: Callable[[Config], Store]) -> None:
    """Meanwhile nobody is answered, and with another key it cannot be gone on with."""
    plain, store = plainly(config), opened(plainly(config))
    store.upgrade()
    fill(plain, store)

    def breaks(table: str, _amount: int) -> None:
        if table == "suppression":
            raise KeyboardInterrupt

    sealed = opened(config)
    with pytest.raises(KeyboardInterrupt):
        sealed.hash_addresses("ann", NOW, breaks)
    for mistaken in (plain, config):
        with pytest.raises(StoreDown, match="run it again"):
            opened(mistaken).suppressed([ERIKA])
    other = opened(config)
    other.seal = Seal(OTHER_KEY)
    with pytest.raises(ConfigError, match="begun"):
        other.hash_addresses("ann", NOW, lambda _table, _amount: None)

    sealed.hash_addresses("ann", NOW, lambda _table, _amount: None)
    assert set(sealed.suppressed([ERIKA, BOB])) == {ERIKA, BOB}
    names_nobody(sealed, everything(sealed))


def test_one_who_was_forgotten_before_is_one_entry_after(config: Config, opened: Callable[[Config], Store]) -> None:
    """The hash of a person who was erased, and a new entry of theirs, become one; the numbers agree."""
    plain, store = plainly(config), opened(plainly(config))
    store.upgrade()
    take(plain, store, dsn(ERIKA, ERIKA))
    store.erase(Erasure(ERIKA, "dpo", "asked", NOW, keep_hash=True))
    newer = Change(ERIKA, "*", Move.SUPPRESS, NOW, "complaint", "abuse", "again", actor="ann")
    with store.begin() as tx:
        tx.journal([newer])

    sealed = opened(config)
    sealed.hash_addresses("ann", NOW, lambda _table, _amount: None)

    assert [entry.reason for entry in sealed.suppressions()] == ["abuse"]
    assert sealed.counts().suppressions_by_category == {"complaint": 1}


def test_the_conversion_knows_every_column_that_holds_addresses() -> None:
    """A new table with such a column must be turned too; providers and the operator's own addresses are none."""
    known = {step.table.name for step in STEPS}
    apart = {"report_tally", "wave", "alarm", "canary", "canary_alarm"}

    assert {column.table.name for column in personal_columns()} - apart <= known


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_can_hash_what_it_is_asked(config: Config, store: Store) -> None:
    """By the statements of docs/privacy.md; SQLite has no HMAC."""
    fill(config, store)
    page = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text()
    (block,) = re.findall(r"```sql postgresql\n(.*?)```", page, re.DOTALL)
    *before, question = filter(str.strip, block.replace("the key", KEY).replace("ann@example.org", ERIKA).split(";"))
    with store._write() as connection:
        for statement in before:
            connection.exec_driver_sql(statement)
        assert [row.reason for row in connection.exec_driver_sql(question)] == ["mailbox_unknown"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("550 <Ann.Lee@x.example> unknown", f"550 <{MASK}> unknown"),
        ("smtp; 550 ann.lee: no such user", f"smtp; 550 {MASK}: no such user"),
        ("see https://x.example/u?id=ann.lee%40x.example&k=1", f"see https://x.example/u?id={MASK}&k=1"),
        ("bounces+ann.lee=x.example@returns.example", MASK),
        ("joann.leeds is no ann.lees", "joann.leeds is no ann.lees"),
        ("mailbox full", "mailbox full"),
    ],
)
def test_words_lose_addresses_and_local_parts(words: str, left: str) -> None:
    """Whatever else they say stays."""
    assert Seal(KEY).text(words, ("ann.lee@x.example",)) == left


def test_a_seal_put_twice_is_put_once() -> None:
    """What bears no address is left as it is."""
    seal = Seal(KEY)
    change = seal.change(
        Change(ERIKA, "*", Move.SUPPRESS, NOW, "hard", "x", f"{ERIKA} is dead", event_id="ev_" + "0" * 32)
    )
    assert seal.change(change) == change
    assert change.address.startswith("hmac:")
    assert seal.check != Seal(OTHER_KEY).check
