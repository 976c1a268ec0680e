"""Polling a real Dovecot: what is fetched, in which portions, and what is left alone."""

import itertools
from contextlib import closing

import pytest

from bounced.config import Limits
from bounced.errors import ConfigError, MailboxDown
from bounced.mailbox import Source, open_mailbox
from bounced.model import Disposition, RawMessage
from bounced.store import Store
from tests.mailbox.conftest import LETTER, REPORT, Desk, mail
from tests.servers.dovecot import Dovecot


def test_reports_are_moved_and_a_letter_stays_unread(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """Each disposition has its folder, made when missing; flags and octets stay as they were."""
    for subject in ("Undelivered", "Odd", "Broken", "A letter"):
        dovecot.deliver("bounces", mail(1, subject))

    came = desk.work_off(source)

    assert [raw.content for raw in came] == [mail(1, s) for s in ("Undelivered", "Odd", "Broken", "A letter")]
    assert dovecot.messages() == [((), mail(1, "A letter"))]
    assert dovecot.messages(folder="Processed") == [((), mail(1))]
    assert dovecot.messages(folder="Review") == [((), mail(1, "Odd"))]
    assert dovecot.messages(folder="Quarantine") == [((), mail(1, "Broken"))]
    with dovecot.client() as client:
        subscribed = {name for _, _, name in client.list_sub_folders()}
    assert {"Processed", "Review", "Quarantine"} <= subscribed


def test_what_stays_is_not_fetched_again(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """A second poll brings the new mail only, and so does a new process."""
    dovecot.deliver("bounces", LETTER, n=3)
    assert len(desk.work_off(source)) == 3
    assert desk.work_off(source) == []
    dovecot.deliver("bounces", REPORT)

    with closing(open_mailbox(dovecot.settings())) as another:
        assert [raw.content for raw in desk.work_off(another)] == [REPORT]
    assert len(dovecot.messages()) == 3


def test_arrival_and_size_are_known(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """`received` is aware and in UTC; `size` is what the server holds."""
    dovecot.deliver("bounces", REPORT)
    (raw,) = desk.work_off(source)

    assert raw.received is not None and raw.received.utcoffset() is not None
    assert (raw.size, raw.truncated) == (len(REPORT), False)


def test_several_folders_are_polled(dovecot: Dovecot, desk: Desk) -> None:
    """Also one whose name is not ASCII; a folder that is missing is told, and stops none of the others."""
    dovecot.deliver("bounces", REPORT)
    with dovecot.client() as client:
        client.create_folder("Rückläufer")
        client.append("Rückläufer", mail(2))
    source = open_mailbox(dovecot.settings(folders=["INBOX", "gone", "Rückläufer"]))

    with pytest.raises(MailboxDown, match="gone"):
        desk.work_off(source)
    source.close()

    assert sorted(content for _, content in dovecot.messages(folder="Processed")) == sorted([REPORT, mail(2)])
    assert dovecot.messages(folder="Rückläufer") == []


def test_batches_are_bounded_by_number_and_octets(dovecot: Dovecot, store: Store) -> None:
    """Neither more messages than `batch` nor more octets than `batch_bytes` are held at once."""
    dovecot.deliver("bounces", mail(1), n=5)
    dovecot.deliver("bounces", REPORT + b"x" * 60_000, n=3)
    source = open_mailbox(dovecot.settings(batch=4), Limits(batch_bytes=130_000))
    sizes = []
    for batch in source.poll(store):
        sizes.append(len(batch.messages))
        source.ack(Desk(store).commit(batch))
    source.close()

    assert sizes == [4, 2, 2]  # 4 small; 1 small, which might have a quarter of the octets, and 1 large; 2 large


def test_a_huge_mail_is_read_up_to_the_limit(dovecot: Dovecot, desk: Desk) -> None:
    """60 MB cost no more than the limit, and go to quarantine whole."""
    huge = b"Subject: Broken\r\n\r\n" + (b"x" * 998 + b"\r\n") * 60_000
    dovecot.deliver("bounces", huge)
    source = open_mailbox(dovecot.settings(), Limits(message_bytes=100_000))
    (raw,) = desk.work_off(source)
    source.close()

    assert (len(raw.content), raw.size, raw.truncated) == (100_000, len(huge), True)
    ((_, moved),) = dovecot.messages(folder="Quarantine")
    assert len(moved) == len(huge)


def test_odd_mails_come_as_they_are(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """Empty, of digits only, of NUL-free 8-bit octets, of something that looks like IMAP."""
    path = dovecot.maildir("bounces")
    odd = [b"", b"12345", b"\xff\xfe\x80\r\n", b'{5}\r\n) OK "NIL\r\n', b"NIL"]
    for content in odd:
        dovecot.deliver_as(path, content)

    assert [raw.content for raw in desk.work_off(source)] == odd


def test_a_batch_that_was_not_acked_comes_again(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """The ledger was down: the position stays, and nothing is lost."""
    dovecot.deliver("bounces", REPORT)
    with closing(source.poll(desk.store)) as batches:
        first = next(batches)

    assert desk.work_off(source) == list(first.messages)


def test_changed_uidvalidity_means_a_rescan(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """Everything that still lies there comes again under its new number; the digest tells it is known."""
    dovecot.deliver("bounces", LETTER, n=2)
    before = desk.work_off(source)
    source.close()
    dovecot.change_uidvalidity("bounces")

    after = desk.work_off(source)

    assert [raw.digest() for raw in after] == [raw.digest() for raw in before]
    assert {raw.place.uidvalidity for raw in after}.isdisjoint({raw.place.uidvalidity for raw in before})
    assert desk.work_off(source) == []


def test_a_message_with_a_strike_comes_again(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """Until it has an outcome; what came after it is not fetched again."""
    dovecot.deliver("bounces", mail(1, "Poison"))
    dovecot.deliver("bounces", LETTER)
    assert len(desk.work_off(source)) == 2
    assert [raw.content for raw in desk.work_off(source)] == [mail(1, "Poison")]
    desk.judge = lambda _: Disposition.QUARANTINE
    assert [raw.content for raw in desk.work_off(source)] == [mail(1, "Poison")]
    assert desk.work_off(source) == []

    assert dovecot.messages(folder="Quarantine") == [((), mail(1, "Poison"))]


def test_a_server_restart_is_survived(dovecot: Dovecot, source: Source, desk: Desk) -> None:
    """While it is away: MailboxDown, in words. Afterwards the same source goes on."""
    dovecot.deliver("bounces", mail(1))
    desk.work_off(source)
    dovecot.stop()
    try:
        for expected in ("broke|reset|refused", "refused", "refused"):  # the second reconnect fails like the first
            with pytest.raises(MailboxDown, match=expected):
                desk.work_off(source)
    finally:
        dovecot.start()
    dovecot.deliver("bounces", mail(2))

    assert [raw.content for raw in desk.work_off(source)] == [mail(2)]


@pytest.mark.parametrize("name", ["a\r\nb LOGOUT", "a\nb", "a\0b", "", "x*", "../x", 'a"b'])
def test_folder_names_cannot_carry_commands(dovecot: Dovecot, name: str) -> None:
    """They are refused when the mailbox is opened, naming the setting."""
    for setting, changes in (
        ("folders[0]", {"folders": [name]}),
        ("after.review", {"after": {"review": name}}),
    ):
        with pytest.raises(ConfigError) as caught:
            open_mailbox(dovecot.settings(**changes))
        assert caught.value.problems[0].startswith(f"mailboxes.bounces.{setting}: ")


@pytest.mark.parametrize("flag", ["a b", "a\r\nb", "(x)", "\\Deleted", ""])
def test_flags_cannot_carry_commands(dovecot: Dovecot, flag: str) -> None:
    """A keyword is an atom (RFC 3501 section 9), and no system flag."""
    with pytest.raises(ConfigError, match=r"after\.flag"):
        open_mailbox(dovecot.settings(after={"mode": "flag", "flag": flag}))


def test_many_uids_are_found_in_windows(
    dovecot: Dovecot, source: Source, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More messages than a line of UIDs may hold: found portion by portion, gaps included, each once."""
    monkeypatch.setattr("bounced.mailbox.session._WINDOW", 4)
    dovecot.deliver("bounces", LETTER, n=30)
    with dovecot.client() as client:
        client.select_folder("INBOX")
        client.delete_messages("6:21", silent=True)
        client.expunge()

    came: list[RawMessage] = desk.work_off(source)

    assert [raw.place.uid for raw in came] == [*range(1, 6), *range(22, 31)]
    assert all(a < b for a, b in itertools.pairwise(raw.place.uid for raw in came))
