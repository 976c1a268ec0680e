"""What a report says, told apart: verdicts of the shipped rules."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.classify import Rules
from bounced.classify.rule import Layer
from bounced.model import Action, Category, Fault, Feedback, Finding, Kind, Reason, Report

RULES = Rules.load()
ROOT = Path(__file__).parents[2]
GOOGLE = "gmail-smtp-in.l.google.com"
YAHOO = "mta5.am0.yahoodns.net"
M365 = "b-example.mail.protection.outlook.com"


def bounce(*findings, kind=Kind.BOUNCE, **fields):
    """A report of some findings."""
    return Report(kind, "test", findings, **fields)


@pytest.mark.parametrize(
    ("reply", "mta", "category", "reason"),
    [
        ("550 5.7.1 refused for policy reasons", None, "soft", "content_block"),
        ("554 5.7.1 client [192.0.2.3] blocked using bl.example", None, "soft", "reputation_block"),
        ("552 5.2.2 over quota", None, "soft", "mailbox_full"),
        ("552 size limit of the message exceeded", None, "soft", "too_big"),
        ("552 1 Requested mail action aborted, mailbox not found", YAHOO, "hard", "mailbox_unknown"),
        ("552 5.1.1 boîte pleine OFR_417 [417]", "smtp-in.orange.fr", "soft", "mailbox_full"),
        ("452 4.1.1 <a@comcast.net> over quota", "mx1.comcast.net", "soft", "mailbox_full"),
        ("550 5.4.1 Recipient address rejected: Access denied", M365, "hard", "mailbox_unknown"),
        ("550 5.4.1 Relay Access Denied", M365, "soft", "relay_denied"),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", M365, "hard", "mailbox_unknown"),
        ("550 5.1.10 recipient domain has a null MX", None, "hard", "domain_missing"),
        ("450 4.1.1 user unknown", None, "soft", "mailbox_unknown"),
        ("550 5.5.0 Requested action not taken: mailbox unavailable", "mx1.hotmail.com", "hard", "mailbox_unknown"),
        ("550 mailbox unavailable, reject due to policy restrictions", "mx00.gmx.net", "soft", "reputation_block"),
        ("550 5.2.1 receiving mail at a rate that is too high", GOOGLE, "soft", "rate_limited"),
        ("550 5.2.1 the account is disabled", GOOGLE, "hard", "mailbox_disabled"),
        ("550 5.7.27 blocked, SPF did not pass", GOOGLE, "soft", "auth_failure"),
        ("550 5.7.27 the sender's domain has a null MX", None, "soft", "sender_invalid"),
        ("550 5.7.29 no TLS was used", GOOGLE, "soft", "encryption_required"),
        ("550 5.7.30 DKIM did not pass", GOOGLE, "soft", "auth_failure"),
        ("554 5.7.9 refused for policy reasons", YAHOO, "soft", "content_block"),
        ("550 5.1.8 access denied, bad outbound sender", M365, "soft", "sender_account"),
        ("550 5.2.2 the submission quota was exceeded", M365, "soft", "sender_account"),
        ("550 5.7.12 internal senders only", M365, "soft", "recipient_restricted"),
        ("550 5.2.1 Addressee unknown", "mx1.prodigy.net", "hard", "mailbox_unknown"),
        ("550 5.7.1 No such user!", "mx.yandex.ru", "hard", "mailbox_unknown"),
        ("550 User in blacklist", "163mx01.mxmail.netease.com", "soft", "reputation_block"),
        ("553 5.1.1 relaying disallowed", "mx.zoho.com", "soft", "relay_denied"),
        ("550 permanent failure (a@b.example:blocked)", "d1.a.ess.barracudanetworks.com", "soft", "content_block"),
        ("554 5.7.1 <a@b.example>: Not in recipient list", "mx1.zerospam.ca", "hard", "mailbox_unknown"),
        ("451 Internal resources are temporarily unavailable", "us-smtp-1.mimecast.com", "soft", "greylisted"),
        ("550 : User unknown", "lsean.ezweb.ne.jp", "soft", "recipient_restricted"),
        ("550 <a@ezweb.ne.jp>: User unknown", "lsean.ezweb.ne.jp", "hard", "mailbox_unknown"),
        ("554 4.4.7 expired: last error: 452 4.2.2 over quota", None, "soft", "mailbox_full"),
        ("retry timeout exceeded", None, "soft", "expired"),
        ("554 blocked using zen.spamhaus.org; Error: open resolver", None, "soft", "recipient_system"),
        ("550 Host or domain name not found, NXDOMAIN", None, "hard", "domain_missing"),
        ("451 4.4.3 the name server does not answer", None, "soft", "network"),
        ("556 takes none", None, "hard", "domain_missing"),
        (
            "551 5.7.1 <a@b.example> is forwarded to <c@d.example>, which does not exist",
            None,
            "soft",
            "recipient_system",
        ),
    ],
)
def test_the_traps_of_real_servers(reply, mta, category, reason):
    """One code has two meanings, one sentence two readings: the receiver, the words, then the code."""
    verdict = RULES.classify_reply(reply, mta, None)

    assert (verdict.category, verdict.reason) == (category, reason)


def test_a_verdict_says_why():
    """Rule, words, fields, provider, and what spoke against it."""
    verdict = RULES.classify_reply("550 5.1.1 <a@b.example> mailbox is over quota", "mx.b.example", "a@b.example")

    assert verdict.rule == "full.said"
    assert "over quota" in (verdict.matched or "")
    assert verdict.basis == ("diagnostic",)
    assert verdict.disagreed == (f'status 5.1.1 against text "{verdict.matched}"',)
    assert (verdict.status, verdict.reply_code, verdict.fault) == ("5.1.1", "550", Fault.RECIPIENT)


def test_a_receivers_rule_rests_on_the_recipient_where_no_host_is_named():
    """The domain of the recipient tells the receiver too."""
    verdict = RULES.classify_reply("550 5.2.1 the account is disabled", None, "a@gmail.com")

    assert (verdict.rule, verdict.provider, verdict.basis) == ("google.disabled", "google", ("diagnostic", "recipient"))


def test_status_and_reply_that_differ_are_told():
    """The reply code decides; a person may want to know."""
    verdict = RULES.classify_reply("550 4.2.2 mailbox full")

    assert verdict.disagreed == ("status 4.2.2 against reply code 550",)


def test_the_human_part_counts_only_where_the_machine_part_has_no_words():
    """A glossary of errors in the human part must not mislead."""
    glossary = "552 means: over quota. 550 means: user unknown."
    told = Finding("a@b.example", diagnostic="552 5.2.2 over quota", text="550 user unknown")
    bare = Finding("a@b.example", status="5.0.0", diagnostic="550", text="the user does not exist")
    (first, second) = RULES.classify(bounce(told, bare))

    assert (
        RULES.classify(bounce(Finding(None, diagnostic="554 relay access denied", text=glossary)))[0].basis[0]
        == "diagnostic"
    )
    assert (first.reason, first.basis) == (Reason.MAILBOX_FULL, ("diagnostic",))
    assert (second.reason, second.basis) == (Reason.MAILBOX_UNKNOWN, ("text",))


@pytest.mark.parametrize(
    "action", [Action.DELIVERED, Action.RELAYED, Action.EXPANDED, Action.TRANSFERRED, Action.OPAQUE]
)
def test_what_did_not_fail_has_no_category(action):
    """Whatever words come with it."""
    (verdict,) = RULES.classify(bounce(Finding("a@b.example", action=action, diagnostic="550 5.1.1 user unknown")))

    assert (verdict.category, verdict.reason, verdict.fault) == (None, None, Fault.NONE)


def test_a_delay_has_a_reason_and_no_category():
    """It is still being tried."""
    delayed = Finding("a@b.example", action=Action.DELAYED, diagnostic="452 4.2.2 over quota")
    (verdict,) = RULES.classify(bounce(delayed, kind=Kind.DELAYED))

    assert (verdict.category, verdict.reason) == (None, Reason.MAILBOX_FULL)


@pytest.mark.parametrize("kind", [Kind.AUTO_REPLY, Kind.UNSUBSCRIBE, Kind.OTHER])
def test_what_is_no_report_of_a_failure_has_no_category(kind):
    """An answering machine's "user unknown" is a quotation."""
    (verdict,) = RULES.classify(bounce(Finding("a@b.example", text="550 5.1.1 user unknown"), kind=kind))

    assert (verdict.category, verdict.reason, verdict.rule) == (None, None, f"kind.{kind}")


@pytest.mark.parametrize(
    ("feedback", "category", "reason"),
    [
        ("abuse", "complaint", "abuse"),
        ("ABUSE", "complaint", "abuse"),
        ("fraud", "complaint", "fraud"),
        ("virus", "complaint", "virus"),
        ("other", "complaint", "other"),
        ("never-heard-of", "complaint", "other"),
        ("not-spam", None, None),
        ("auth-failure", None, None),
        ("opt-out", None, None),
        ("opt-out-list", None, None),
    ],
)
def test_a_complaint_is_what_its_feedback_type_says(feedback, category, reason):
    """`not-spam` is the opposite of one, `auth-failure` none at all."""
    report = bounce(Finding(None), kind=Kind.COMPLAINT, feedback=Feedback(feedback))
    (verdict,) = RULES.classify(report)

    assert (verdict.category, verdict.reason) == (category, reason)


def test_findings_are_judged_apart_and_in_order():
    """One report, several fates."""
    report = bounce(
        Finding("a@b.example", status="5.1.1", diagnostic="550 5.1.1 user unknown"),
        Finding("c@b.example", status="4.2.2", diagnostic="452 4.2.2 over quota"),
    )

    assert [v.category for v in RULES.classify(report)] == [Category.HARD, Category.SOFT]


def test_words_after_the_data_come_from_a_filter():
    """A server that lacks the mailbox says so at RCPT, or with 5.1.1."""
    finding = Finding("a@b.example", status="5.2.1", diagnostic="550 5.2.1 User Unknown", command="DATA")
    (verdict,) = RULES.classify(bounce(finding))

    assert (verdict.category, verdict.reason, verdict.basis) == (
        "soft",
        "recipient_restricted",
        ("diagnostic", "status", "command"),
    )


def test_no_layer_overtakes_another():
    """Receivers, words, statuses, reply codes."""
    layers = [rule.layer for rule in RULES.rules]

    assert layers == sorted(layers)
    assert set(layers) == set(Layer)


def test_every_example_holds():
    """What loading demands, seen from outside."""
    assert [proof.problem for proof in RULES.proofs() if proof.problem] == []


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_documented_and_every_failure_has_a_rule(reason):
    """`rules/README.md` has a line for each; complaints need no rule."""
    complaint = reason in (Reason.ABUSE, Reason.FRAUD, Reason.VIRUS, Reason.OTHER)

    assert f"`{reason}`" in (ROOT / "rules" / "README.md").read_text(encoding="utf-8")
    assert complaint or any(rule.reason is reason for rule in RULES.rules)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=2500), st.text(max_size=40) | st.none(), st.text(max_size=40) | st.none())
def test_any_reply_gets_a_verdict(reply, mta, recipient):
    """Whatever strangers write, and never without a category, a reason and a rule."""
    verdict = RULES.classify_reply(reply, mta, recipient)

    assert verdict.category in (Category.HARD, Category.SOFT)
    assert verdict.reason is not None
    assert verdict.rule


@pytest.mark.parametrize(
    "piece", ["a", "user ", "mailbox full ", "not ", "5.1.1 ", "<a@b", "邮箱", "550-", "recipient address rejected "]
)
def test_hostile_text_costs_linear_time(piece):
    """Megabytes of it, as only the first 2,000 characters count."""
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    RULES.classify_reply(text)

    assert time.process_time() - start < 1.0
