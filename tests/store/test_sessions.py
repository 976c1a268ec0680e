"""Sessions of the page, on either database."""

from datetime import UTC, datetime, timedelta

from bounced.store import Store, TokenScope
from bounced.store.tokens import mint

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def began(store: Store, name: str = "mo", at: datetime = NOW) -> str:
    _, made = mint(name, [TokenScope.READ], at, "the tests")
    assert store.add_token(made)
    store.begin_session(f"digest of {name}", made.id, at)
    return made.id


def test_a_session_is_found_with_its_token(store: Store) -> None:
    id_ = began(store)
    found = store.session("digest of mo")
    assert found is not None
    assert (found.token.id, found.token.name, found.began_at, found.seen_at) == (id_, "mo", NOW, NOW)
    assert store.session("digest of nobody") is None


def test_its_last_use_is_noted_once_a_minute(store: Store) -> None:
    began(store)
    for seconds, noted in ((59, 0), (61, 61), (100, 61)):
        store.session_seen("digest of mo", NOW + timedelta(seconds=seconds))
        found = store.session("digest of mo")
        assert found and found.seen_at == NOW + timedelta(seconds=noted)


def test_it_ends_by_word_and_with_its_token(store: Store) -> None:
    began(store)
    began(store, "ann")
    store.end_session("digest of mo")
    assert store.session("digest of mo") is None
    assert store.session("digest of ann") is not None
    store.revoke_token("ann", NOW)
    assert store.session("digest of ann") is None


def test_old_ones_are_forgotten_when_somebody_logs_in(store: Store) -> None:
    began(store)
    began(store, "ann", NOW + timedelta(days=32))
    assert store.session("digest of mo") is None
