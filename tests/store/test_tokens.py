"""Tokens are kept so that who reads the database cannot use them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bounced.store import Store, TokenScope
from bounced.store.tokens import Token, digest_of, id_of, mint

CHECK, READ, WRITE = TokenScope.CHECK, TokenScope.READ, TokenScope.WRITE


def test_a_token_comes_back_as_it_was_kept(store: Store, now: datetime) -> None:
    _, made = mint("shop", [CHECK, WRITE], now, "ann")

    assert store.add_token(made)

    assert store.tokens() == [made]


def test_the_database_never_sees_the_secret(store: Store, now: datetime) -> None:
    secret, made = mint("shop", [CHECK], now, "ann")
    store.add_token(made)

    with store._read() as connection:
        kept = " ".join(map(str, connection.execute(text("SELECT * FROM token")).one()))

    assert made.digest in kept
    assert secret.rpartition("_")[2] not in kept


def test_secrets_are_long_and_never_the_same(now: datetime) -> None:
    made = {mint("shop", [CHECK], now, "ann")[0] for _ in range(100)}

    assert len(made) == 100
    assert {len(secret.rpartition("_")[2]) for secret in made} == {52}  # 256 bits in base32


def test_the_readable_part_names_the_token(now: datetime) -> None:
    secret, made = mint("shop", [CHECK], now, "ann")

    assert id_of(secret) == made.id
    assert digest_of(secret) == made.digest
    assert digest_of(secret[:-1]) != made.digest


@pytest.mark.parametrize(
    "text", ["", "bounced", "bounced_abcdefgh_", "Bearer x", "bounced_" + "a" * 61, "\0", "\ud800"]
)
def test_what_is_no_token_names_none(text: str) -> None:
    assert id_of(text) is None
    assert len(digest_of(text)) == 64


def test_a_name_is_in_use_once(store: Store, now: datetime) -> None:
    """Revoked, it may be given again; the old one is still listed among the revoked."""
    first, second = (mint("shop", [CHECK], now, "ann")[1] for _ in range(2))
    assert store.add_token(first)
    assert not store.add_token(second)

    assert store.revoke_token("shop", now)

    assert store.add_token(second)
    assert [t.id for t in store.tokens()] == [second.id]
    assert {t.id for t in store.tokens(revoked=True)} == {first.id, second.id}
    assert not store.revoke_token("nobody", now)


def test_it_is_revoked_by_id_too(store: Store, now: datetime) -> None:
    made = mint("shop", [CHECK], now, "ann")[1]
    store.add_token(made)

    assert store.revoke_token(made.id, now)
    assert not store.revoke_token(made.id, now)


def test_the_last_use_is_written_once_a_minute(store: Store, now: datetime) -> None:
    made = mint("shop", [CHECK], now, "ann")[1]
    store.add_token(made)
    for seconds in (0, 30, 59, 61):
        store.token_used(made.id, now + timedelta(seconds=seconds))

    assert store.tokens()[0].last_used_at == now + timedelta(seconds=61)


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ({CHECK}, {CHECK}),
        ({READ}, {CHECK, READ}),
        ({WRITE}, {WRITE}),
        (set(TokenScope), set(TokenScope)),
        (set(), set()),
    ],
)
def test_who_may_read_may_check(scopes: set[TokenScope], allowed: set[TokenScope], now: datetime) -> None:
    made = Token("id", "n", "d", frozenset(scopes), now, "ann")

    assert {scope for scope in TokenScope if made.allows(scope)} == allowed
