"""Whatever strangers write into every field of a report, it is correlated, bounded, and never signed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bounced.config import Correlation
from bounced.correlate import Correlator, cap
from bounced.model import Envelope, Feedback, Finding, Kind, Original, Report, Trust

from .conftest import NOW
from .forge import ANN, CORRELATOR, verdict

WITHOUT_KEY = Correlator(Correlation(domains=("shop.example",)))
NAMES = [
    *("To", "Cc", "From", "Subject", "Message-ID", "Return-Path", "List-ID", "List-Unsubscribe", "X-Bounced-Ref"),
    *("CFBL-Feedback-ID", "X-SMTPAPI", "X-MSYS-API", "Feedback-ID", "X-MessageID", "X-SES-MESSAGE-TAGS"),
    *("campaign_guid", "X-HmXmrOriginalRecipient"),
]
TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet='a@<>(),;:"\\=+. \r\n\t\x00[]{}', max_size=200),
    st.sampled_from(
        [ANN, f"Ann <{ANN}>", f"rfc822;{ANN}", "1k2.aaaaaaaaaaaa.bbbbbbbbbbbbbbbb@bounces.shop.example", ""]
    ),
    st.sampled_from(["(", "[", "{", "g:", "=", "+", "<", "\udc80"]).map(lambda piece: piece * 3000),
)
MAYBE = st.none() | TEXT
FINDINGS = st.builds(Finding, MAYBE, original_recipient=MAYBE, final_recipient=MAYBE)
ENVELOPES = st.builds(
    Envelope,
    from_=MAYBE,
    delivered_to=st.lists(TEXT, max_size=3).map(tuple),
    in_reply_to=st.lists(TEXT, max_size=3).map(tuple),
    authentication_results=st.lists(TEXT, max_size=3).map(tuple),
)
FEEDBACK = st.none() | st.builds(Feedback, TEXT, original_mail_from=MAYBE, cfbl_feedback_id=MAYBE)
ORIGINALS = st.none() | st.builds(Original, st.lists(st.tuples(st.sampled_from(NAMES), TEXT), max_size=12).map(tuple))
REPORTS = st.builds(
    Report,
    st.sampled_from(Kind),
    st.just("any"),
    st.lists(FINDINGS, min_size=1, max_size=3).map(tuple),
    original=ORIGINALS,
    envelope=ENVELOPES,
    feedback=FEEDBACK,
    envelope_id=MAYBE,
    forwarded=st.booleans(),
)


@settings(deadline=None)
@given(REPORTS)
def test_any_report_is_correlated(report: Report) -> None:
    """With and without a key; what is named is normal, what is tagged is bounded, nothing is signed by chance."""
    for correlator in (CORRELATOR, WITHOUT_KEY):
        correlator.references(report, NOW)
        for finding in report.findings:
            told = verdict(finding)
            identity = correlator.correlate(report, told, NOW)
            cap(told, identity)
            tags = [identity.tags.campaign, identity.tags.list, identity.tags.stream, *identity.tags.categories]
            assert identity.trust is not Trust.SIGNED
            assert identity.why
            assert all(tag is None or (0 < len(tag) <= 128 and "\n" not in tag) for tag in tags)
            assert identity.recipient is None or identity.recipient.count("@") >= 1
            assert (identity.recipient is None) == (identity.source == "")
