"""What each system's file is taken for, and what each of its lines means."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from bounced.exchange import Doubt, Entry, Left, Refused, Source, names, open_source
from bounced.exchange.layouts import LAYOUTS

AT = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)
SECONDS = int(AT.timestamp())


class Sample(NamedTuple):
    """A file, what it must be taken for, and what each line must say in short."""

    layout: str
    content: str
    says: list[str]
    named: str | None = None


def short(row: object) -> str:
    match row:
        case Entry():
            when = "" if row.since is None else " @" + row.since.strftime("%m-%d %H")
            passing = " passing" if row.passing else ""
            local = row.address.partition("@")[0]
            return f"{local}: {row.category} {row.reason}{f' in {row.scope}' if row.scope else ''}{when}{passing}"
        case Left():
            return "no: " + row.kind.split(":")[0]
        case Refused():
            return f"refused {row.line}: {row.why}"
    raise AssertionError(row)


def opened(content: str | bytes, named: str | None = None) -> Source:
    octets = content.encode() if isinstance(content, str) else content
    source = open_source(io.BytesIO(octets), named)
    assert isinstance(source, Source), source
    return source


SAMPLES = [
    Sample("ses", "ann@example.com,BOUNCE\nbob@example.com,COMPLAINT\n", ["ann: hard unknown", "bob: complaint abuse"]),
    Sample(
        "ses",
        '{"emailAddress":"ann@example.com","reason":"BOUNCE"}\n{"emailAddress":"bob@example.com","reason":"LATER"}\n',
        ["ann: hard unknown", "refused 2: no reason of Amazon SES: 'LATER'; want BOUNCE or COMPLAINT"],
    ),
    Sample(
        "ses",
        '{"SuppressedDestinationSummaries": [\n {"EmailAddress": "ann@example.com", "Reason": "BOUNCE",\n'
        f'  "LastUpdateTime": {SECONDS}.25}},\n'
        ' {"EmailAddress": "bob@example.com", "Reason": "COMPLAINT", "LastUpdateTime": "2026-10-09T10:00:00+02:00"}],\n'
        ' "NextToken": "abc"}\n',
        ["ann: hard unknown @10-09 08", "bob: complaint abuse @10-09 08"],
    ),
    Sample(
        "sendgrid-bounces",
        f'status,reason,email,created\n5.1.1,"550 5.1.1 no such user",ann@example.com,{SECONDS}\n'
        f'4.2.2,"452 4.2.2 mailbox full",bob@example.com,{SECONDS}\n4.0.0,"later",cy@example.com,{SECONDS}\n'
        f'550,"5.2.2 over quota",dee@example.com,2026-10-09 08:00:00\n',
        [
            "ann: hard mailbox_unknown @10-09 08",
            "bob: soft mailbox_full @10-09 08 passing",
            "cy: soft unknown @10-09 08 passing",
            "dee: soft mailbox_full @10-09 08 passing",
        ],
        "sendgrid-bounces",
    ),
    Sample(
        "sendgrid-blocks",
        f'email,status,reason,created\nann@example.com,5.7.1,"550 5.7.1 blocked",{SECONDS}\n',
        ["no: blocks"],
        "sendgrid-blocks",
    ),
    Sample(
        "sendgrid-invalid",
        f"reason,email,created\nBad Syntax,ann@@,{SECONDS}\nKnown bad domain,ann@exmaple.example,{SECONDS}\n",
        ["no: no mail addresses", "ann: hard domain_missing @10-09 08"],
    ),
    Sample(
        "sendgrid-spam", f"ip,email,created\n192.0.2.1,ann@example.com,{SECONDS}\n", ["ann: complaint abuse @10-09 08"]
    ),
    Sample(
        "sendgrid-unsubscribes",
        f'[{{"created": {SECONDS}, "email": "ann@example.com"}}]',
        ["ann: unsubscribe unsubscribe @10-09 08"],
    ),
    Sample(
        "sendgrid-groups",
        f'[{{"email": "ann@example.com", "group_id": 7, "group_name": "News", "created_at": {SECONDS}}}]',
        ["ann: unsubscribe unsubscribe in News @10-09 08"],
    ),
    Sample(
        "postmark",
        '{"Suppressions":[{"EmailAddress":"ann@example.com","SuppressionReason":"HardBounce","Origin":"Recipient",'
        '"CreatedAt":"2026-10-09T03:00:00-05:00"},{"EmailAddress":"bob@example.com","SuppressionReason":'
        '"ManualSuppression","Origin":"Recipient","CreatedAt":"2026-10-09T03:00:00-05:00"},{"EmailAddress":'
        '"cy@example.com","SuppressionReason":"ManualSuppression","Origin":"Admin","CreatedAt":""},{"EmailAddress":'
        '"dee@example.com","SuppressionReason":"SpamComplaint","Origin":"Recipient","CreatedAt":null}]}',
        [
            "ann: hard unknown @10-09 08",
            "bob: unsubscribe unsubscribe @10-09 08",
            "cy: manual manual",
            "dee: complaint abuse",
        ],
    ),
    Sample(
        "postmark-bounces",
        "ID,Type,TypeCode,Details,Email,BouncedAt,Inactive\n"
        "1,HardBounce,1,smtp;550 5.1.1 no such user,ann@example.com,2026-10-09T08:00:00.1234567Z,true\n"
        "2,SpamNotification,512,,bob@example.com,2026-10-09T08:00:00.1234567Z,true\n"
        "3,SoftBounce,4096,mailbox full,cy@example.com,2026-10-09T08:00:00Z,true\n"
        "4,Transient,2,,dee@example.com,2026-10-09T08:00:00Z,false\n"
        "5,AutoResponder,64,,eve@example.com,2026-10-09T08:00:00Z,false\n",
        [
            "ann: hard mailbox_unknown @10-09 08",
            "no: blocks",
            "cy: soft mailbox_full @10-09 08 passing",
            "no: bounces for which Postmark did not deactivate the address",
            "no: answers and events that are no bounce (AutoResponder)",
        ],
    ),
    Sample(
        "mailgun-bounces",
        "address,code,error,created_at\n"
        'ann@example.com,550,No such mailbox,"Fri, 09 Oct 2026 08:00:00 GMT"\n'
        'bob@example.com,550,,"Fri, 09 Oct 2026 08:00:00 UTC"\n',
        ["ann: hard mailbox_unknown @10-09 08", "bob: hard unknown @10-09 08"],
    ),
    Sample(
        "mailgun-unsubscribes",
        '{"items":[{"address":"ann@example.com","tags":["*"],"created_at":"Fri, 09 Oct 2026 08:00:00 +0000"},'
        '{"address":"bob@example.com","tags":["news","offers"],"created_at":""}],"paging":{"next":"..."}}',
        [
            "ann: unsubscribe unsubscribe @10-09 08",
            "bob: unsubscribe unsubscribe in news",
            "bob: unsubscribe unsubscribe in offers",
        ],
    ),
    Sample(
        "mailgun-unsubscribes",
        "address,tag,created_at\nann@example.com,news,\n",
        ["ann: unsubscribe unsubscribe in news"],
    ),
    Sample("mailgun-complaints", "address,created_at\nann@example.com,\n", ["ann: complaint abuse"]),
    Sample("mailgun-allowlist", "address,domain\nann@example.com,\n,example.org\n", ["no: an allowlist"] * 2),
    Sample(
        "mailgun-allowlist",
        '{"items":[{"value":"example.com","reason":"x","type":"domain","createdAt":"now"}]}',
        ["no: an allowlist"],
    ),
    Sample(
        "sparkpost",
        "Recipient, Transactional, NonTransactional, Source, Updated, Created, Description\n"
        "ann@example.com,true,true,Bounce Rule,,2026-10-09T08:00:00Z,550 5.1.1 no such user\n"
        "bob@example.com,false,true,List Unsubscribe,,2026-10-09T08:00:00+00:00,\n"
        "cy@example.com,false,false,Manually Added,,,\n"
        "dee@example.com,true,true,Bounce Rule,,,554 5.7.1 recipient address was suppressed due to customer policy\n",
        [
            "ann: hard mailbox_unknown @10-09 08",
            "bob: unsubscribe unsubscribe in marketing @10-09 08",
            "no: entries with both flags false",
            "no: echoes of a suppression list",
        ],
    ),
    Sample(
        "sparkpost",
        '{"results":[{"recipient":"ann@example.com","type":"transactional","source":"Spam Complaint"}],"links":[]}',
        ["ann: complaint abuse in transactional"],
    ),
    Sample(
        "mautic",
        "id,lead_id,date_added,reason,channel,channel_id,comments,email\n"
        "7,1041,2026-10-09 08:00:00,2,email,12,User unknown,ann@example.com\n"
        "8,1042,2026-10-09 08:00:00,1,email,12,Marked as spam,bob@example.com\n"
        "9,1043,2026-10-09 08:00:00,1,email,12,User unsubscribed,cy@example.com\n"
        "10,1044,2026-10-09 08:00:00,2,email,12,Blocked as spam,dee@example.com\n"
        "11,1045,2026-10-09 08:00:00,0,email,12,,eve@example.com\n"
        "12,1046,2026-10-09 08:00:00,3,sms,12,,flo@example.com\n"
        "13,1046,2026-10-09 08:00:00,3,email,12,,flo@example.com\n",
        [
            "ann: hard mailbox_unknown @10-09 08",
            "bob: complaint abuse @10-09 08",
            "cy: unsubscribe unsubscribe @10-09 08",
            "dee: soft unknown @10-09 08 passing",
            "no: contacts that may be written to",
            "no: other channels than email",
            "flo: manual manual @10-09 08",
        ],
    ),
    Sample(
        "listmonk",
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '0f8c,ann@example.com,Ann,"{""city"": ""X""}",blocklisted,,2026-10-09 08:00:00.12 +0000 UTC\n'
        "0f8d,bob@example.com,Bob,{},disabled,,\n",
        ["ann: manual manual @10-09 08", "no: disabled subscribers"],
    ),
    Sample(
        "listmonk-bounces",
        '{"data":{"results":[{"id":1,"type":"hard","source":"x","meta":{"text":"550 5.1.1 user unknown"},'
        '"created_at":"2026-10-09T08:00:00.5+00:00","email":"ann@example.com","subscriber_uuid":"u","campaign":null},'
        '{"id":2,"type":"soft","email":"bob@example.com","subscriber_uuid":"u"}],"total":2}}',
        ["ann: hard unknown @10-09 08", "no: soft bounces"],
    ),
    Sample(
        "phplist",
        "id\tEmail\tIs this subscriber confirmed\tIs this subscriber blacklisted\tNumber of bounces\tLast Modified\n"
        "1\tann@example.com\t1\t1\t0\t2026-10-09 08:00:00\n2\tbob@example.com\t0\t0\t9\t\n"
        "3\t' +cy@example.com\t1\t1\t0\t0000-00-00 00:00:00\n",
        [
            "ann: manual manual @10-09 08",
            "no: users that are not blacklisted (unconfirmed and bouncing ones too)",
            "+cy: manual manual",
        ],
    ),
    Sample("phplist-blacklist", "email,added\nann@example.com,2026-10-09 08:00:00\n", ["ann: manual manual @10-09 08"]),
    Sample(
        "phplist-reasons",
        '"email","name","data"\n"ann@example.com","reason","Manually blacklisted by admin"\n'
        '"ann@example.com","REMOTE_ADDR","192.0.2.7"\n"bob@example.com","reason","blacklisted by bounce rule 7"\n'
        '"cy@example.com","reason","5 consecutive bounces, threshold reached"\n"dee@example.com","reason","no thanks"\n'
        '"eve@example.com","reason","blacklisted due to spam complaints"\n',
        [
            "ann: manual manual",
            "no: particulars of blacklisted users that are no reason",
            "bob: hard unknown",
            "cy: hard unknown",
            "dee: unsubscribe unsubscribe",
            "eve: complaint abuse",
        ],
    ),
    Sample(
        "sympa",
        "# Email\tName\tBounce score\tBounce count\tFirst bounce\tLast bounce\n"
        f"ann@example.com\tAnn\t85\t6\t1758000000\t{SECONDS}\nbob@example.com\tBob\t20\t2\t1758000000\t{SECONDS}\n",
        ["ann: soft unknown @10-09 08 passing", "no: bouncing subscribers with a score below 80"],
    ),
    Sample(
        "brevo",
        '{"count":2,"contacts":[{"email":"ann@example.com","senderEmail":"n@example.com","reason":{"code":"hardBounce",'
        '"message":"x"},"blockedAt":"2026-10-09T08:00:00.000Z"},{"email":"bob@example.com","senderEmail":'
        '"n@example.com","reason":{"code":"unsubscribedViaEmail"},"blockedAt":"2026-10-09T08:00:00.000Z"}]}',
        ["ann: hard unknown @10-09 08", "bob: unsubscribe unsubscribe in n@example.com @10-09 08"],
    ),
    Sample(
        "brevo-contacts",
        '{"contacts":[{"email":"ann@example.com","emailBlacklisted":true,"id":1},'
        '{"email":"bob@example.com","emailBlacklisted":false,"id":2}],"count":2}',
        ["ann: manual manual", "no: contacts that are not blacklisted"],
    ),
    Sample(
        "addresses", "Ann@Example.COM\nbob@example.com\n", ["ann: manual manual", "bob: manual manual"], "addresses"
    ),
    Sample("addresses", "email\nann@example.com\n", ["ann: manual manual"], "addresses"),
    Sample("addresses", '["ann@example.com"]', ["ann: manual manual"], "addresses"),
    Sample(
        "bounced",
        "address,scope,category,reason,since,until,why,actor,event_id\n"
        "ann@example.com,news,hard,mailbox_unknown,2026-10-09T08:00:00Z,,dead,ann,\n"
        "bob@example.com,*,nonsense,x,,,,,\n",
        [
            "ann: hard mailbox_unknown in news @10-09 08",
            "refused 3: no category: 'nonsense'; want complaint, hard, manual, soft, unsubscribe",
        ],
    ),
    Sample("bounced-list", "address,category\nann@example.com,hard\n", ["ann: hard unknown"]),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.layout)
def test_a_file_is_taken_for_what_it_is(sample: Sample) -> None:
    """By its columns or keys alone; each line comes out as what its system means by it."""
    source = opened(sample.content, sample.named)

    assert source.layout.name == sample.layout
    assert [short(row) for row in source.rows()] == sample.says


def test_every_layout_has_a_sample() -> None:
    """But those that only ask a question."""
    silent = {layout.name for layout in LAYOUTS if layout.name in ("mautic-table", "mautic-contacts")}

    assert {sample.layout for sample in SAMPLES} | silent == set(names())
    assert len(names()) == len(set(names()))


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("status,reason,email,created\n5.1.1,x,ann@example.com,1\n", "--as sendgrid-bounces or --as sendgrid-blocks"),
        ('[{"created":1,"email":"ann@example.com","reason":"x","status":"5.1.1"}]', "--as sendgrid-blocks"),
        ("ann@example.com\n", "--as addresses"),
        ("Email\nann@example.com\n", "--as addresses"),
        ("id,lead_id,date_added,reason,channel\n", "JOIN leads"),
        ("id,email,firstname,lastname,stage\n", "lead_donotcontact"),
        ("name,colour\n", "--as (bounced,"),
        ("EMAIL,ADDED_TIME,MODIFIED_TIME,NAME\n", "format is not known"),
        ("ann@example.com,LATER\n", "format is not known"),
        ("", "empty"),
        ("\n \n", "empty"),
        ("[]", "no entry"),
        ('{"items": []}', "no entry"),
        ('{"items": [', "breaks off"),
        ("[1, 2]", "want an object"),
        ("x" * 300_000, "longer than"),
    ],
)
def test_what_cannot_be_told_is_asked(content: str, question: str) -> None:
    """Nothing is guessed: the answer says what to do."""
    doubt = open_source(io.BytesIO(content.encode()))

    assert isinstance(doubt, Doubt)
    assert question in doubt.why


def test_a_wrong_name_is_refused() -> None:
    """A file cannot be forced into a format whose columns it lacks."""
    doubt = open_source(io.BytesIO(b"ip,email,created\n"), "sendgrid-blocks")

    assert doubt == Doubt("this is no file of the format sendgrid-blocks: its first line begins 'ip,email,created'")


def test_every_layout_is_documented() -> None:
    """With its name for `--as`, and no name that does not exist."""
    page = (Path(__file__).parents[2] / "docs" / "lists.md").read_text()
    cells = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]

    assert sorted(name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell) if name != "--as") == sorted(
        names()
    )
