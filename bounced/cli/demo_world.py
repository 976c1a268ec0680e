"""The world of the demo's history, as data: who is written to, where they have their mailboxes, and what those say.

All names are made up; all domains lie below `.example` (RFC 2606).
"""

from dataclasses import dataclass

_FIRST = (
    "anna ben clara david elena felix greta hugo ida jonas karin leo mara nils olga paul rosa stefan tara viktor wanda "
    "amir bianca chen dario esra farid gina hiro ines jamal kofi lucia mehmet nadia omar priya quentin ravi sana tomas "
    "uma vera yusuf zoe aoife bjorn carmen dimitri eva fatima georg hanna ivan julia lars maja noor oskar petra"
)
_LAST = (
    "adler bauer costa dubois eklund fischer gruber haas ibanez jansen keller lindner moreau nowak olsen petrov quist "
    "richter santos toth ueda varga weber xu yilmaz zeman arnold berger conti diaz engel ferrari garcia horvat ivanova "
    "jung kowalski larsen maier nagy okafor peters rossi schmitt tanaka unger vogel winter yamada zimmer"
)
FIRST_NAMES, LAST_NAMES = tuple(_FIRST.split()), tuple(_LAST.split())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mail system says: host, reply, status. `{address}` and `{domain}` are filled in."""

    host: str | None
    said: str
    status: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Who runs mailboxes: the share of our readers there, their domains, and what its servers say.

    `weights` go with `dead`; complaints come from `reporter`, where it has a feedback loop.
    """

    name: str
    share: float
    domains: tuple[str, ...]
    dead: tuple[Answer, ...]
    full: Answer
    soft: tuple[Answer, ...]
    weights: tuple[int, ...] = ()
    reporter: str | None = None
    complaint_rate: float = 0.0


_G, _M, _Y, _X, _A, _O = (
    "aspmx.l.google.com",
    "shop.mail.protection.outlook.com",
    "mta5.am0.yahoodns.net",
    "mx00.emig.gmx.net",
    "mx01.mail.icloud.com",
    "mx1.{domain}",
)
_NO_SUCH_USER = (
    "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's "
    "email address for typos or unnecessary spaces. https://support.google.com/mail/?p=NoSuchUser"
)

#: What the providers say on the days on which something goes wrong.
GOOGLE_GONE_WRONG = Answer(_G, _NO_SUCH_USER, "5.1.1")
GMX_GONE_WRONG = Answer(_X, "550 Requested action not taken: mailbox unavailable", "5.0.0")
MICROSOFT_BLOCKS = Answer(
    _M,
    "550 5.7.1 Unfortunately, messages from [192.0.2.25] weren't sent. Please contact your Internet service provider "
    "since part of their network is on our block list (S3140).",
    "5.7.1",
)
YAHOO_REFUSES = Answer(
    _Y, "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", "5.7.9"
)

_SLOW = Answer(None, "connect to mx1.{domain}[203.0.113.9]:25: Connection timed out", "4.4.1")
PROVIDERS = (
    Provider(
        "google",
        0.36,
        ("greenfield.example", "atelier-nord.example", "brightside.example", "tinycode.example", "papermill.example"),
        (
            Answer(_G, _NO_SUCH_USER, "5.1.1"),
            Answer(
                _G,
                "550-5.2.1 The email account that you tried to reach is disabled. "
                "https://support.google.com/mail/?p=DisabledUser",
                "5.2.1",
            ),
        ),
        Answer(
            _G,
            "552-5.2.2 The email account that you tried to reach is over quota. "
            "https://support.google.com/mail/?p=OverQuotaPerm",
            "5.2.2",
        ),
        (
            Answer(_G, "421-4.7.28 Gmail has detected an unusual rate of mail from your IP address.", "4.7.28"),
            Answer(
                _G,
                "550-5.7.1 Our system has detected that this message is likely unsolicited mail. To reduce the amount "
                "of spam sent to Gmail, this message has been blocked.",
                "5.7.1",
            ),
        ),
        (4, 1),
    ),
    Provider(
        "m365",
        0.22,
        ("northwind-office.example", "stadtwerke.example", "harbour-law.example", "mediteam.example"),
        (
            Answer(
                _M,
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {address} not found by SMTP address lookup",
                "5.1.10",
            ),
            Answer(_M, "550 5.4.1 Recipient address rejected: Access denied.", "5.4.1"),
        ),
        Answer(
            _M,
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException."
            "MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception",
            "5.2.2",
        ),
        (Answer(_M, "451 4.7.500 Server busy. Please try again later from [192.0.2.25]. (S77719)", "4.7.500"),),
        (3, 1),
        "staff@feedback-northwind.example",
        0.00035,
    ),
    Provider(
        "yahoo",
        0.14,
        ("purplemail.example", "weekender.example"),
        (
            Answer(_Y, "554 30 Sorry, your message to {address} cannot be delivered. Mailbox disabled.", "5.0.0"),
            Answer(_Y, "552 1 Requested mail action aborted, mailbox not found", "5.0.0"),
        ),
        Answer(_Y, "552 5.2.2 {address}: mailbox is over quota", "5.2.2"),
        (
            Answer(
                _Y,
                "421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user "
                "complaints",
                "4.7.0",
            ),
        ),
        (1, 2),
        "feedback@arf-purplemail.example",
        0.0006,
    ),
    Provider(
        "gmx",
        0.12,
        ("sonnenpost.example", "briefkasten.example"),
        (Answer(_X, "550 Requested action not taken: mailbox unavailable", "5.0.0"),),
        Answer(
            _X,
            "552-5.2.2 Requested mail action aborted: exceeded storage allocation. Quota exceeded. "
            "The recipients mailbox is full.",
            "5.2.2",
        ),
        (Answer(_X, "554-5.7.1 Transaction failed. Reject due to policy restrictions.", "5.7.1"),),
        (1,),
        "fbl@sonnenpost.example",
        0.0004,
    ),
    Provider(
        "apple",
        0.08,
        ("orchardmail.example",),
        (Answer(_A, "550 5.1.1 <{address}>: user does not exist", "5.1.1"),),
        Answer(_A, "552 5.2.2 <{address}>: user is over quota", "5.2.2"),
        (_SLOW,),
        (1,),
    ),
    Provider(
        "others",
        0.08,
        ("gymnasium.example", "tennis-club.example", "bakery-lane.example", "village-council.example"),
        (
            Answer(_O, "550 5.1.1 <{address}>: Recipient address rejected: User unknown in mailbox table", "5.1.1"),
            Answer(_O, "550 No such user here", "5.0.0"),
            Answer(_O, "550 5.2.1 The account is inactive", "5.2.1"),
            Answer(
                None,
                "Host or domain name not found. Name service error for name={domain} type=A",
                "5.4.4",
            ),
        ),
        Answer(_O, "552 5.2.2 <{address}>: Mailbox is full, quota exceeded", "5.2.2"),
        (
            _SLOW,
            Answer(
                _O,
                "554 5.7.1 Client host [192.0.2.25] blocked using bl.blocklist.example",
                "5.7.1",
            ),
            Answer(_O, "552 5.3.4 Message size exceeds fixed limit", "5.3.4"),
        ),
        (5, 3, 2, 1),
    ),
)

#: What no rule understands, from gateways that have a wording of their own: it waits in the review queue.
PUZZLES = (
    Answer("gateway.{domain}", "550 5.0.0 handled by rule set 14, see entry {number}", "5.0.0"),
    Answer("filter.{domain}", "554 K-7 (case {number})", "5.0.0"),
    Answer("mx.{domain}", "571 pas possible pour le moment chez nous [q{number}]", "5.0.0"),
)
