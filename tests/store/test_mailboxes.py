"""Where mailboxes stand and who may poll them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bounced.model import Position
from bounced.store import Store


def test_a_folder_never_read_stands_nowhere(store: Store) -> None:
    """Not at 1: the mailbox decides what a first look is."""
    assert store.position("m", "INBOX") is None


def test_positions_go_forward_until_uidvalidity_changes(store: Store) -> None:
    """A slower daemon brings no old mail back; a new UIDVALIDITY begins anew (RFC 9051 section 2.3.1.1)."""
    store.advance("m", "INBOX", 7, 100)
    store.advance("m", "INBOX", 7, 90)
    store.advance("m", "Junk", 9, 5)
    assert store.position("m", "INBOX") == Position(7, 100)

    store.advance("m", "INBOX", 8, 3)
    assert store.position("m", "INBOX") == Position(8, 3)
    assert store.position("m", "Junk") == Position(9, 5)


def test_the_largest_numbers_of_imap_fit(store: Store) -> None:
    """UIDs and UIDVALIDITY are unsigned 32-bit numbers."""
    store.advance("m", "INBOX", 2**32 - 1, 2**32)
    assert store.position("m", "INBOX") == Position(2**32 - 1, 2**32)


def test_one_owner_at_a_time(store: Store, open_store: Callable[..., Store]) -> None:
    """Until the lease runs out, or is given back."""
    now, minute = datetime.now(UTC), timedelta(minutes=1)
    other = open_store()

    assert store.lease("m", "one", now + minute)
    assert not other.lease("m", "two", now + minute)
    assert other.lease("n", "two", now + minute)
    assert store.lease("m", "one", now + 2 * minute), "prolonged"
    assert not other.lease("m", "two", now + 3 * minute, now=now + minute)
    assert other.lease("m", "two", now + 3 * minute, now=now + 2 * minute), "run out"
    store.release("m", "one")
    assert not store.lease("m", "one", now + minute)
    other.release("m", "two")
    assert store.lease("m", "one", now + minute)
