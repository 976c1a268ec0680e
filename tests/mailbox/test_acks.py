"""What becomes of handled mail on a real Dovecot: moves, flags, servers that lack or refuse them, and crashes."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from bounced.errors import MailboxDown
from bounced.mailbox import Source, open_mailbox
from tests.mailbox.conftest import LETTER, REPORT, Desk, mail
from tests.servers.dovecot import Dovecot

NO_MOVE = "IMAP4rev1 LITERAL+ SASL-IR IDLE NAMESPACE UIDPLUS CHILDREN"
NEITHER = "IMAP4rev1 LITERAL+ SASL-IR NAMESPACE"


def test_unacked_after_a_crash_is_moved_without_being_fetched(dovecot: Dovecot, desk: Desk) -> None:
    """Killed between commit and ack: the next process moves what is settled, and counts nothing again."""
    for n, subject in enumerate(("Undelivered", "Odd", "A letter")):
        dovecot.deliver("bounces", mail(n, subject))
    crashed = open_mailbox(dovecot.settings())
    batch = next(crashed.poll(desk.store))
    desk.commit(batch)  # and no ack
    crashed.close()

    with closing(open_mailbox(dovecot.settings())) as source:
        again = desk.work_off(source)

    assert [raw.content for raw in again] == [mail(2, "A letter")]  # it was not to be moved, so it is looked at
    assert dovecot.messages(folder="Processed") == [((), mail(0))]
    assert dovecot.messages(folder="Review") == [((), mail(1, "Odd"))]
    assert desk.store.unacked("bounces", "INBOX", batch.uidvalidity) == []


def test_acked_is_moved_when_the_poll_is_broken_off(dovecot: Dovecot, desk: Desk) -> None:
    """A daemon that is told to stop leaves after its batch; what was acked is in its folder then."""
    dovecot.deliver("bounces", mail(1), n=4)
    source = open_mailbox(dovecot.settings(batch=2))
    with closing(source.poll(desk.store)) as batches:
        source.ack(desk.commit(next(batches)))
    source.close()

    assert len(dovecot.messages(folder="Processed")) == 2
    assert len(dovecot.messages()) == 2


def test_moved_by_somebody_else_is_no_trouble(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """Settled messages that are gone are simply called acked."""
    dovecot.deliver("bounces", REPORT, n=2)
    batches = source.poll(desk.store)
    batch = next(batches)
    outcomes = desk.commit(batch)
    with dovecot.client() as client:
        client.select_folder("INBOX")
        client.delete_messages(client.search())
        client.expunge()
    source.ack(outcomes)
    assert list(batches) == []

    assert desk.store.unacked("bounces", "INBOX", batch.uidvalidity) == []
    assert dovecot.messages(folder="Processed") == []


def test_acks_are_moved_in_one_go(dovecot: Dovecot, desk: Desk) -> None:
    """A hundred batches do not cost a hundred moves."""
    dovecot.deliver("bounces", mail(1), n=100)
    source = open_mailbox(dovecot.settings(batch=1))
    left = []
    for batch in source.poll(desk.store):
        source.ack(desk.commit(batch))
        left.append(len(dovecot.messages()) if len(left) in (0, 98) else None)
    source.close()

    assert (left[0], left[98]) == (100, 100)
    assert len(dovecot.messages(folder="Processed")) == 100


def test_one_batch_may_be_read_ahead(dovecot: Dovecot, desk: Desk) -> None:
    """Over several folders: each message once, each moved from the folder it lay in, each position right."""
    with dovecot.client() as client:
        client.create_folder("fbl")
    for n in range(3):
        dovecot.deliver("bounces", mail(n))
        dovecot.deliver("bounces", mail(10 + n), folder="fbl")
    dovecot.deliver("bounces", LETTER, folder="fbl")
    with closing(open_mailbox(dovecot.settings(batch=1, folders=["INBOX", "fbl"]))) as source:
        came = desk.work_off_reading_ahead(source)
        assert [raw.content for raw in came] == [*(mail(n) for n in (0, 1, 2, 10, 11, 12)), LETTER]
        assert desk.work_off_reading_ahead(source) == []

    assert len(dovecot.messages(folder="Processed")) == 6
    assert [content for _, content in dovecot.messages(folder="fbl")] == [LETTER]
    assert dovecot.messages() == []


def test_what_was_handed_out_is_acked_before_a_failure_is_told(dovecot: Dovecot, desk: Desk) -> None:
    """The server hangs over the second batch: the first one, in hand by then, is not handed out again."""
    dovecot.deliver("bounces", LETTER, n=2)
    source = open_mailbox(dovecot.settings(batch=1, timeout=1))
    batches = source.poll(desk.store)
    first = next(batches)
    with dovecot.frozen():
        assert next(batches).messages == ()
        source.ack(desk.commit(first))
        with pytest.raises(MailboxDown, match="no answer within 1 seconds"):
            next(batches)

    assert [raw.place.uid for raw in desk.work_off(source)] == [2]
    source.close()


def test_a_server_that_hangs_over_a_move_is_asked_for_less(dovecot: Dovecot, desk: Desk) -> None:
    """MailboxDown after the time-out; then the same moves are made in smaller portions, and none is forgotten."""
    dovecot.deliver("bounces", mail(1), n=250)
    source = open_mailbox(dovecot.settings(batch=200, timeout=1))
    pace = source._pace  # type: ignore[attr-defined]
    pace.portion = 400
    batches = source.poll(desk.store)
    source.ack(desk.commit(next(batches)))
    last = desk.commit(next(batches))
    with dovecot.frozen():
        source.ack(last)
        with pytest.raises(MailboxDown, match="no answer within 1 seconds"):
            next(batches)

    assert pace.portion == 100
    assert desk.work_off(source) == []
    source.close()
    assert len(dovecot.messages(folder="Processed")) == 250
    assert desk.store.unacked("bounces", "INBOX", last[0].place.uidvalidity) == []


def test_flag_mode_moves_nothing(dovecot: Dovecot, desk: Desk) -> None:
    """Reports get the keyword and stay unread; a letter gets nothing; no folder is made."""
    dovecot.deliver("bounces", REPORT)
    dovecot.deliver("bounces", LETTER)
    with closing(open_mailbox(dovecot.settings(after={"mode": "flag"}))) as source:
        desk.work_off(source)
        assert desk.work_off(source) == []

    assert dovecot.messages() == [(("$BouncedSeen",), REPORT), ((), LETTER)]
    assert dovecot.folders() == {"INBOX"}


def test_leave_mode_changes_nothing(dovecot: Dovecot, desk: Desk) -> None:
    """The folder is opened read-only; the position alone tells what was read."""
    dovecot.deliver("bounces", REPORT)
    with closing(open_mailbox(dovecot.settings(after={"mode": "leave"}))) as source:
        assert len(desk.work_off(source)) == 1
        assert desk.work_off(source) == []

    assert dovecot.messages() == [((), REPORT)]


@pytest.fixture(scope="module")
def without_move(needs_dovecot: None) -> Iterator[Dovecot]:
    """Start a server that has UIDPLUS and no MOVE."""
    with Dovecot(capability=NO_MOVE) as server:
        yield server


def test_without_move_only_ours_is_expunged(without_move: Dovecot, desk: Desk) -> None:
    """COPY, STORE, UID EXPUNGE: what somebody else marked as deleted stays."""
    without_move.deliver("bounces", mail(1, "A letter"))
    without_move.deliver("bounces", REPORT)
    with without_move.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
    with closing(open_mailbox(without_move.settings())) as source:
        desk.work_off(source)

    assert without_move.messages() == [(("\\Deleted",), mail(1, "A letter"))]
    assert without_move.messages(folder="Processed") == [((), REPORT)]


def test_without_move_and_uidplus_reports_are_flagged(needs_dovecot: None, desk: Desk) -> None:
    """A plain EXPUNGE would take what others marked: it is never sent, and `probe` says what happens instead."""
    with Dovecot(capability=NEITHER) as server:
        server.deliver("bounces", mail(1, "A letter"))
        server.deliver("bounces", REPORT)
        with server.client() as client:
            client.select_folder("INBOX")
            client.delete_messages([1])
        with closing(open_mailbox(server.settings())) as source:
            desk.work_off(source)
            assert "neither MOVE nor UIDPLUS" in "".join(c.text for c in source.probe() if not c.ok)
        assert [flags for flags, _ in server.messages()] == [("\\Deleted",), ("$BouncedSeen",)]
        assert server.folders() == {"INBOX"}


def test_a_refused_move_keeps_nothing_from_being_read(needs_dovecot: None, desk: Desk) -> None:
    """No right to put mail into the folder: told in words, new mail is handled on, and moved once it may be."""
    acl = "mail_plugins = acl\nprotocol imap {\n  mail_plugins = acl imap_acl\n}\nplugin {\n  acl = vfile\n}"
    with Dovecot(extra=acl) as server:
        with server.client() as client:
            client.create_folder("Processed")
        rights = server.maildir("bounces", "Processed") / "dovecot-acl"
        rights.write_text("owner lr\n")
        source = open_mailbox(server.settings())
        assert [c.text for c in source.probe() if not c.ok] == [
            "folder Processed: no right to put messages in (ACL: lr): ask for i"
        ]
        for n in range(2):
            server.deliver("bounces", mail(n))
            with pytest.raises(MailboxDown, match="Processed"):
                desk.work_off(source)
        rights.unlink()
        source.close()
        assert desk.work_off(source) == []
        source.close()

        assert [raw.content for raw in desk.seen] == [mail(0), mail(1)]
        assert len(server.messages(folder="Processed")) == 2
