"""Reply codes and status codes in the words of servers."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.classify import codes


@pytest.mark.parametrize(
    ("text", "reply", "status"),
    [
        ("550 5.1.1 user unknown", "550", "5.1.1"),
        ("550-5.2.1 shut down 550 5.2.1 see https://example.com/?p=4.2.2", "550", "5.2.1"),
        ("554 5.7.1 rejected by SpamGuard 5.1.1 build 550", "554", "5.7.1"),
        ("550 refused by Exim 4.96.1 at [192.0.2.5]", "550", None),
        ("550 sorry (#5.1.1)", "550", "5.1.1"),
        ("550 #5.1.0 Address rejected.", "550", "5.1.0"),
        ("host mx.b.example[192.0.2.1] said: 552 5.2.2 over quota (in reply to RCPT TO)", "552", "5.2.2"),
        ("421 4.7.0 later: last error: 550 5.1.1 no such user", "550", "5.1.1"),
        ("554 4.4.7 Message expired.<421 4.4.2 Connection timed out>", "554", "4.4.2"),
        ("smtp; 450 greylisted until 2026.11.21", "450", None),
        ("Connection refused", None, None),
        ("mailbox holds 550 messages", None, None),
        ("seen 5.1.1.7 and v5.1.1 and 15.1.1", None, None),
        ("550 x.example 5.0.0 and then 5.2.2", "550", "5.2.2"),
    ],
)
def test_codes_are_found_and_nothing_else_is_taken_for_one(text, reply, status):
    """The last answer's codes; never an address, a version, a date or an amount."""
    found = codes.refine(None, None, text)

    assert (found.reply_code, found.status) == (reply, status)


@pytest.mark.parametrize(
    ("reported", "text", "status"),
    [
        ("5.0.0", "550 5.1.1 user unknown", "5.1.1"),
        ("5.1.1", "550 5.7.1 blocked", "5.7.1"),
        ("5.1.1", "550 user unknown", "5.1.1"),
        ("4.4.7", "given up (#4.2.2)", "4.2.2"),
        ("5.2.2", "550 5.0.0 full", "5.2.2"),
        ("5.2.2", "quota, see (#5.0.0)", "5.2.2"),
        (None, "no words", None),
    ],
)
def test_a_status_gives_way_only_to_one_that_says_more(reported, text, status):
    """x.0.0 and weak codes yield; what the server said right behind its reply code is its own."""
    assert codes.refine(reported, None, text).status == status


@pytest.mark.parametrize(
    ("text", "reported", "final"),
    [
        ("550 5.1.1 no", None, True),
        ("450 4.1.1 no", None, False),
        ("550 4.2.2 full", None, True),
        ("450 4.1.1 unverified: host mx.b.example[192.0.2.1] said: 550 5.1.1 no", None, False),
        ("550 5.1.1 unverified: host mx.b.example[192.0.2.1] said: 450 later", None, False),
        ("no such user", "5.1.1", True),
        ("no answer", "4.4.1", False),
        ("unknown local part", None, None),
        ("550 4.4.7 expired: not delivered in 840 minutes.<421 4.4.0 no DNS>", "4.4.7", False),
    ],
)
def test_one_temporary_answer_makes_a_refusal_temporary(text, reported, final):
    """By the reply codes on the way, or else by the status."""
    assert codes.is_final(text, codes.refine(reported, None, text)) is final


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("550 no (in reply to end of DATA command)", "DATA"),
        ("550 no (in reply to RCPT TO command)", "RCPT"),
        ("SMTP error from remote mail server after RCPT TO:<a@b.example>: 550 no", "RCPT"),
        ("-- SMTP command\nDATA", "DATA"),
        (">>> DATA\n<<< 550 no", "DATA"),
        ("550 no", None),
    ],
)
def test_the_refused_command_is_told_by_the_words_around(text, command):
    """Postfix, Exim, sendmail and gateways name it each in their way."""
    assert codes.command_in(text) == command


def test_of_a_local_program_no_number_is_a_reply_code():
    """`Diagnostic-Code: x-unix; 255` is an exit status."""
    assert codes.refine("5.0.0", None, "255", local=True).reply_code is None


def test_what_is_said_of_the_sender_is_no_answer_about_the_recipient():
    """A call-out quotes our own server."""
    text = "550-Sender verify failed 550-The mail server said: 550 5.1.1 No such user 550 Sender verify failed"

    assert codes.answer(text) == text


@given(st.text(max_size=3000))
def test_any_text_has_codes_or_none(text):
    """Digits of three, and class.subject.detail, or nothing."""
    found = codes.refine(None, None, text)

    assert found.reply_code is None or (len(found.reply_code) == 3 and found.reply_code.isdecimal())
    assert found.status is None or found.status[0] in "245"


@pytest.mark.parametrize("piece", ["a", "5", "5.", "550 ", "said: ", "<", "5.1.", "((", "response from ", ">>> DATA "])
def test_hostile_repetition_costs_little(piece):
    """Ten times what is ever looked at, in a fraction of a second."""
    text = piece * (20_000 // len(piece))
    start = time.process_time()
    codes.refine(None, None, text)
    codes.command_in(text)

    assert time.process_time() - start < 1.0
