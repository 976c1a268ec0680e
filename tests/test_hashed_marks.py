"""The marks of mails in logs, where hashes are kept for addresses: nothing to try an address against."""

from contextlib import closing
from datetime import UTC, date, datetime

from sqlalchemy import select

from bounced.config import Config, parse
from bounced.daemon import wiring
from bounced.store.report_tables import sent_mark
from bounced.store.sent_counts import Mailed

NOW, DAY = datetime.now(UTC), date(2026, 11, 21)
MAILS = [Mailed([f"mx\0A{n}\0p{n}@x.example", f"<{n}@shop>\0p{n}@x.example"], DAY, None) for n in range(5_000)]


def config_of(url: str, **privacy: str) -> Config:
    return parse({"database": {"url": url}, "privacy": privacy, "limits": {"workers": 1}}, {})


def hashed(url: str) -> Config:
    return config_of(url, addresses="hashed", key="a key that nobody guesses")


def test_a_log_is_known_again_once_addresses_are_hashed(database_url: str) -> None:
    """And of the marks that followed from addresses alone none is left."""
    with closing(wiring.store(config_of(database_url))) as plain:
        plain.upgrade()
        assert plain.count_mailed(MAILS, "postfix") == (5_000, 5_000)
        with plain._read() as connection:
            before = set(connection.scalars(select(sent_mark.c.mark)))
    with closing(wiring.store(hashed(database_url))) as sealed:
        sealed.hash_addresses("ann", NOW, lambda _table, _amount: None)
        with sealed._read() as connection:
            after = set(connection.scalars(select(sent_mark.c.mark)))
        assert sealed.count_mailed(MAILS, "postfix") == (0, 5_000)

    assert len(after) == len(before) == 10_000
    assert before.isdisjoint(after | {~mark for mark in after})


def test_where_none_were_kept_from_the_first_no_mark_follows_from_an_address(database_url: str) -> None:
    with closing(wiring.store(hashed(database_url))) as sealed:
        sealed.upgrade()
        assert sealed.count_mailed(MAILS[:10], "postfix") == (10, 10)
        assert sealed.hashing_amounts()["sent_mark"] == 0
        assert sealed.count_mailed(MAILS[:10], "postfix") == (0, 10)
