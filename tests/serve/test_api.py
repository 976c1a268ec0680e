"""The HTTP interface as a program sees it that asks before each mail, over real HTTP, on both databases."""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest

from bounced.model import Alarm, DeliveryState, Fault, Member, Move, Notification, Reason, Wave, WaveState
from bounced.serve.throttle import Throttle
from bounced.store import TokenScope
from tests.serve.conftest import Said, Service
from tests.store.conftest import event

CHECK, READ, WRITE = TokenScope
HOOK = {"name": "app", "url": "https://app.example.org/", "secret": "whsec_" + "A" * 43 + "="}
#: Not one of them is what a listing gave.
CURSORS = ["x", "%00", "bnVsbA", "WzFd", "WyJhIl0", "W1tdLCIiXQ", "_" * 2000, "Wy0xXQ", "WzFlOTk5XQ"]
ROUTES = [
    ("GET", "/v1/suppressions/ann@example.com", None, CHECK),
    ("POST", "/v1/suppressions/check", {"addresses": ["ann@example.com"]}, CHECK),
    ("POST", "/v1/classify", {"reply": "550 5.1.1 no such user"}, CHECK),
    ("GET", "/v1/suppressions", None, READ),
    ("GET", "/v1/suppressions/export", None, READ),
    ("GET", "/v1/events", None, READ),
    ("GET", "/v1/events/export", None, READ),
    ("GET", "/v1/events/ev_1", None, READ),
    ("GET", "/v1/deliveries", None, READ),
    ("GET", "/v1/deliveries/1/attempts", None, READ),
    ("POST", "/v1/suppressions/import", ["ann@example.com"], WRITE),
    ("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "asked"}, WRITE),
    ("POST", "/v1/suppressions/release", {"address": "ann@example.com"}, WRITE),
    ("POST", "/v1/deliveries/retry", {"ids": [1]}, WRITE),
    ("POST", "/v1/verp/sign", {"recipient": "ann@example.com"}, WRITE),
    ("POST", "/v1/evidence", {"signs": [{"address": "ann@example.com", "kind": "login"}]}, WRITE),
    ("GET", "/v1/waves", None, READ),
    ("GET", "/v1/waves/1", None, READ),
    ("GET", "/v1/waves/1/addresses", None, READ),
    ("POST", "/v1/waves/1/release", None, WRITE),
    ("POST", "/v1/waves/1/confirm", None, WRITE),
    ("GET", "/v1/alarms", None, READ),
    ("GET", "/v1/review", None, READ),
    ("GET", "/v1/review/9f86d081884c7d65", None, READ),
    ("POST", "/v1/review/9f86d081884c7d65/accept", {"reason": "mailbox_unknown"}, WRITE),
    ("POST", "/v1/review/9f86d081884c7d65/dismiss", None, WRITE),
    ("GET", "/v1/reports", None, READ),
    ("POST", "/v1/sent", {"counts": [{"day": "2026-11-01", "sent": 1}]}, WRITE),
]


def problem(said: Said) -> dict[str, Any]:
    """Return the problem document that was answered; anything else fails the test."""
    assert said.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = said.json
    assert set(found) == {"type", "title", "status", "detail", "faults"}
    assert found["status"] == said.status
    return found


def pages(service: Service, path: str) -> list[dict[str, Any]]:
    """Return everything that a listing has, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = service.call("GET", f"{path}{cursor}", token="read").json
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


# --- Who may ask --------------------------------------------------------------------------------------------------


def test_each_route_takes_tokens_of_its_scope_only(shared: Service) -> None:
    """Whoever may read may also check; nothing else follows from anything."""
    assert {path for _, path, _, _ in ROUTES} >= {p for p in _paths(shared) if "{" not in p}
    for method, path, body, needs in ROUTES:
        for scope in TokenScope:
            said = shared.call(method, path, body, token=scope.value)
            allowed = scope is needs or (needs is CHECK and scope is READ)
            assert (said.status != 403) == allowed, (method, path, scope)
            if not allowed:
                challenge = f'Bearer realm="bounced", error="insufficient_scope", scope="{needs.value}"'
                assert said.headers["www-authenticate"] == challenge
                assert needs.value in problem(said)["detail"]


def _paths(service: Service) -> set[str]:
    return {path for path in service.call("GET", "/openapi.json").json["paths"] if path.startswith("/v1")}


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer bounced_aaaaaaaa_" + "a" * 52, "Bearer \xff",
        "Bearer " + "x" * 5000,
    ],
)  # fmt: skip
def test_without_a_token_nothing_is_answered(shared: Service, header: str | None) -> None:
    sent = {} if header is None else {"Authorization": header}

    for method, path, body, _ in ROUTES:
        said = shared.call(method, path, body, headers=sent)
        assert said.status in (401, 429)
        assert "ann" not in problem(said)["detail"]
        if said.status == 401:
            assert said.headers["www-authenticate"].startswith('Bearer realm="bounced"')


def test_a_secret_that_differs_in_one_letter_is_none(service: Service) -> None:
    """The readable part is right, the rest is not."""
    right = service.tokens["check"]
    wrong = right[:-1] + ("a" if right[-1] != "a" else "q")

    assert service.call("GET", "/v1/suppressions/a@b.example", token=right).status == 200
    assert service.call("GET", "/v1/suppressions/a@b.example", token=wrong).status == 401


def test_new_tokens_work_and_revoked_ones_do_not_within_seconds(service: Service) -> None:
    path = "/v1/suppressions/a@b.example"
    assert service.call("GET", path, token="check").status == 200
    new = service.token("new", CHECK)
    service.store.revoke_token("check", datetime.now(UTC))

    assert _soon(lambda: service.call("GET", path, token=new).status == 200, 3)
    assert _soon(lambda: service.call("GET", path, token="check").status == 401, 7)


def test_the_last_use_is_noted_behind_the_request(service: Service) -> None:
    began = datetime.now(UTC)
    for _ in range(20):
        assert service.call("GET", "/v1/suppressions/a@b.example", token="check").status == 200

    assert _soon(lambda: _last_use(service, "check") is not None, 5)
    assert began - timedelta(seconds=1) < _last_use(service, "check") < datetime.now(UTC)
    assert _last_use(service, "write") is None


def _last_use(service: Service, name: str) -> Any:
    return next(token.last_used_at for token in service.store.tokens() if token.name == name)


def _soon(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_fails_too_often_waits_but_takes_nobody_with_him(serving: Callable[..., Service]) -> None:
    """A valid token at the same address goes on: behind a proxy all have one address."""
    service = serving(Throttle(failures=3, seconds=60))
    path = "/v1/suppressions/a@b.example"
    statuses = [service.call("GET", path, token="bounced_x").status for _ in range(5)]

    said = service.call("GET", path, token="bounced_x")

    assert statuses == [401, 401, 401, 429, 429]
    assert 50 <= int(said.headers["retry-after"]) <= 61
    assert problem(said)["title"] == "Too Many Requests"
    assert service.call("GET", path, token="check").status == 200


@pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
def test_an_unknown_parameter_is_refused(
    shared: Service, method: str, path: str, body: dict[str, Any] | None, scope: TokenScope
) -> None:
    """Misspelt, `scope` would ask about another scope, and be answered wrongly."""
    said = shared.call(method, f"{path}?scop=newsletter", body, token=scope.value)

    (fault,) = problem(said)["faults"]
    assert said.status == 422
    assert fault["at"] == "query.scop"


# --- The question before each mail --------------------------------------------------------------------------------


def test_one_address(service: Service) -> None:
    """In any spelling, with what there is to know."""
    service.suppress("ann@example.com", event_id="ev_1")

    found = service.ask("<Ann@EXAMPLE.com.>")

    assert found["suppressed"] is True
    assert found["address"] == "ann@example.com"
    entry = found["suppression"]
    assert (entry["category"], entry["reason"], entry["scope"], entry["until"]) == (
        "hard",
        "mailbox_unknown",
        "*",
        None,
    )
    assert entry["event_id"] == "ev_1"
    assert entry["since"].endswith("Z")
    assert service.ask("bob@example.com") == {
        "address": "bob@example.com", "scope": "*", "suppressed": False, "suppression": None
    }  # fmt: skip


def test_a_scope_inherits_what_holds_everywhere(service: Service) -> None:
    service.suppress("dead@example.com")
    service.suppress("left@example.com", scope="newsletter", category="unsubscribe", reason="other")

    assert service.ask("dead@example.com", "newsletter")["suppressed"]
    assert service.ask("left@example.com", "newsletter")["suppressed"]
    assert not service.ask("left@example.com", "receipts")["suppressed"]
    assert not service.ask("left@example.com")["suppressed"]


@pytest.mark.parametrize(
    "address",
    [
        "a/b@example.com",
        "a?b@example.com",
        "a#b@example.com",
        "a%b@example.com",
        "a+b@example.com",
        "grüße@bücher.example",
    ],
)
def test_addresses_with_letters_that_urls_use(service: Service, address: str) -> None:
    normal = "grüße@xn--bcher-kva.example" if "ü" in address else address
    service.suppress(normal)

    assert service.ask(address)["suppression"]["address"] == normal


@pytest.mark.parametrize("address", ["nobody", "a@", "@b.example", "a b@c.example", "check/", "a@b@"])
def test_what_is_no_address_is_not_called_free(shared: Service, address: str) -> None:
    from urllib.parse import quote

    said = shared.call("GET", f"/v1/suppressions/{quote(address)}", token="check")

    assert said.status == 422
    assert problem(said)["faults"][0]["at"] == "path.address"


def test_what_has_run_out_holds_no_longer(service: Service) -> None:
    service.suppress("ann@example.com", until=datetime.now(UTC) + timedelta(seconds=0.2))
    assert service.ask("ann@example.com")["suppressed"]
    time.sleep(0.25)

    assert not service.ask("ann@example.com")["suppressed"]


def test_many_addresses_at_once(service: Service) -> None:
    """Each spelling that was asked is answered under that spelling; what is no address is said to be none."""
    service.suppress("ann@example.com")
    service.suppress("left@example.com", scope="news")
    asked = ["Ann@example.com", "ann@EXAMPLE.com", "free@example.com", "left@example.com", "nobody", ""]

    said = service.call("POST", "/v1/suppressions/check", {"addresses": asked, "scope": "news"}, token="check")

    assert said.status == 200
    assert [(m["asked"], m["scope"]) for m in said.json["suppressed"]] == [
        ("Ann@example.com", "*"), ("ann@EXAMPLE.com", "*"), ("left@example.com", "news")
    ]  # fmt: skip
    assert said.json["invalid"] == ["nobody", ""]
    assert said.json["checked"] == 3


def test_ten_thousand_at_once_and_not_one_more(service: Service) -> None:
    for number in range(0, 10_000, 1000):
        service.suppress(f"user{number}@example.com")
    asked = [f"User{number}@example.com" for number in range(10_000)]

    said = service.call("POST", "/v1/suppressions/check", {"addresses": asked}, token="check")
    more = service.call("POST", "/v1/suppressions/check", {"addresses": [*asked, "a@b.c"]}, token="check")

    assert [m["asked"] for m in said.json["suppressed"]] == [f"User{n}@example.com" for n in range(0, 10_000, 1000)]
    assert said.json["checked"] == 10_000
    assert more.status == 422
    assert problem(more)["faults"][0]["at"] == "body.addresses"


# --- A program's own word -----------------------------------------------------------------------------------------


def test_suppress_and_release(service: Service) -> None:
    """Both stand in the journal, by whom and why, and are told to the endpoints."""
    made = service.call(
        "POST", "/v1/suppressions", {"address": "Ann@Example.com", "why": "by telephone", "days": 30}, token="write"
    )
    assert made.status == 201
    assert service.ask("ann@example.com")["suppression"] == made.json
    assert made.json["actor"] == "token write"

    gone = service.call("POST", "/v1/suppressions/release", {"address": "ann@example.com"}, token="write")

    assert [entry["scope"] for entry in gone.json["released"]] == ["*"]
    assert not service.ask("ann@example.com")["suppressed"]
    journal = service.store.journal_of("ann@example.com")
    assert [(c.move, c.actor) for c in journal] == [(Move.SUPPRESS, "token write"), (Move.RELEASE, "token write")]
    assert journal[0].why == "by telephone"
    assert journal[0].until is not None
    assert timedelta(days=29) < journal[0].until - datetime.now(UTC) < timedelta(days=31)


def test_endpoints_hear_of_it(serving: Callable[..., Service]) -> None:
    service = serving(webhooks=[HOOK])
    service.call("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "asked"}, token="write")
    service.call("POST", "/v1/suppressions/release", {"address": "ann@example.com"}, token="write")

    told = [item["notification"] for item in pages(service, "/v1/deliveries?limit=1")]

    assert [n["type"] for n in told] == ["suppression.released", "suppression.created"]
    assert told[0]["data"]["actor"] == "token write"


def test_what_lasts_longer_already_is_left_alone(service: Service) -> None:
    """A dead address does not come back to life after the days that a program asked for."""
    service.suppress("dead@example.com")
    for days in (1, None):
        said = service.call(
            "POST", "/v1/suppressions", {"address": "dead@example.com", "why": "x", "days": days}, token="write"
        )
        assert said.status == 200
        assert said.json["reason"] == "mailbox_unknown"

    assert len(service.store.journal_of("dead@example.com")) == 1


def test_a_longer_end_takes_the_place_of_a_shorter(service: Service) -> None:
    path = "/v1/suppressions"
    for days, status in ((1, 201), (30, 201), (7, 200), (None, 201), (None, 200)):
        body = {"address": "ann@example.com", "why": "x", "days": days}
        assert service.call("POST", path, body, token="write").status == status

    assert service.ask("ann@example.com")["suppression"]["until"] is None


@pytest.mark.parametrize("category", ["complaint", "unsubscribe"])
def test_a_wish_is_taken_back_with_a_reason_only(service: Service, category: str) -> None:
    service.suppress("ann@example.com", category=category, reason="other")

    said = service.call("POST", "/v1/suppressions/release", {"address": "ann@example.com"}, token="write")
    assert said.status == 409
    assert problem(said)["title"] == "Conflict"
    assert service.ask("ann@example.com")["suppressed"]

    body = {"address": "ann@example.com", "why": "she wrote that it was a mistake"}
    assert service.call("POST", "/v1/suppressions/release", body, token="write").status == 200
    assert not service.ask("ann@example.com")["suppressed"]
    assert service.store.journal_of("ann@example.com")[-1].why == "she wrote that it was a mistake"


def test_release_in_one_scope_only(service: Service) -> None:
    for scope in ("*", "news", "receipts"):
        service.suppress("ann@example.com", scope=scope)

    said = service.call(
        "POST", "/v1/suppressions/release", {"address": "ann@example.com", "scope": "news"}, token="write"
    )

    assert [e["scope"] for e in said.json["released"]] == ["news"]
    assert [e["scope"] for e in pages(service, "/v1/suppressions?limit=500")] == ["*", "receipts"]


def test_to_release_the_free_changes_nothing(service: Service) -> None:
    said = service.call("POST", "/v1/suppressions/release", {"address": "ann@example.com"}, token="write")

    assert (said.status, said.json) == (200, {"address": "ann@example.com", "released": []})
    assert service.store.journal_of("ann@example.com") == []


# --- Listings -----------------------------------------------------------------------------------------------------


def test_a_listing_goes_on_where_it_was_whatever_comes_meanwhile(service: Service) -> None:
    """Nothing twice, nothing left out of what was there when the listing began."""
    names = [f"user{number:02}@example.com" for number in range(25)]
    for name in names:
        service.suppress(name)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = service.call("GET", f"/v1/suppressions?limit=4{cursor}", token="read").json
        seen += [entry["address"] for entry in page["items"]]
        service.suppress(f"aaa{len(seen)}@example.com")  # before the place where the listing is
        cursor = f"&cursor={page['next']}" if page["next"] else None

    assert seen == names


def test_suppressions_are_filtered(service: Service) -> None:
    service.suppress("ann@example.com")
    service.suppress("bob@example.org", reason="abuse", category="complaint", scope="news")
    service.suppress("gone@example.org", until=datetime.now(UTC))

    def listed(query: str) -> list[str]:
        return [entry["address"].split("@")[0] for entry in pages(service, f"/v1/suppressions?limit=1&{query}")]

    assert listed("") == ["ann", "bob"]
    assert listed("reason=abuse") == listed("category=complaint") == listed("scope=news") == ["bob"]
    assert listed("domain=EXAMPLE.org") == ["bob"]
    assert listed("since=2999-01-01T00:00:00Z") == []
    assert listed("before=2999-01-01T00:00:00Z&since=1999-01-01T00:00:00%2B02:00") == ["ann", "bob"]


def test_events_are_listed_newest_first_and_filtered(service: Service) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with service.store.begin() as tx:
        tx.record([event(n, now + timedelta(seconds=n // 2), provider=f"p{n % 2}") for n in range(7)])
    everything = pages(service, "/v1/events?limit=2")

    assert [e["address"] for e in everything] == [f"user{n}@example.org" for n in _newest_first(service)]
    assert len(everything) == 7
    assert {e["provider"] for e in pages(service, "/v1/events?limit=2&provider=p1")} == {"p1"}
    assert [e["address"] for e in pages(service, "/v1/events?limit=9&address=USER3@example.org")] == [
        "user3@example.org"
    ]
    assert len(pages(service, "/v1/events?limit=9&since=2026-11-21T12:00:02Z&until=2026-11-21T12:00:03Z")) == 2
    assert pages(service, "/v1/events?limit=9&category=soft") == []


def _newest_first(service: Service) -> list[int]:
    return [int(e.address[4 : e.address.index("@")]) for e in service.store.events() if e.address]


def test_one_event_tells_all(service: Service) -> None:
    one = event(1, datetime(2026, 11, 21, 12, tzinfo=UTC), diagnostic="550 no ünknown \u202e user", basis=("status",))
    with service.store.begin() as tx:
        tx.record([one])

    said = service.call("GET", f"/v1/events/{one.id}", token="read")

    assert said.json["diagnostic"] == one.diagnostic
    assert said.json["basis"] == ["status"]
    assert said.json["place"] == {"mailbox": "bounces", "folder": "INBOX", "uidvalidity": 7, "uid": 1}
    assert "key" not in said.json
    assert service.call("GET", "/v1/events/ev_nothing", token="read").status == 404


def test_dead_deliveries_are_opened_again(serving: Callable[..., Service]) -> None:
    service = serving(
        webhooks=[{"name": "app", "url": "https://app.example.org/", "secret": "whsec_" + "A" * 43 + "="}]
    )
    now = datetime.now(UTC)
    with service.store.begin() as tx:
        tx.announce([Notification("msg_1", "bounce.hard", now, {"address": "ann@example.com"})])
    service.store.abandon([], now + timedelta(hours=1), "given up")
    (dead,) = pages(service, "/v1/deliveries?limit=9&state=dead&endpoint=app&type=bounce.hard")

    said = service.call("POST", "/v1/deliveries/retry", {"ids": [dead["id"], 999_999]}, token="write")

    assert said.json == {"opened": 1}
    assert service.store.deliveries()[0].state is DeliveryState.OPEN
    assert service.call("GET", f"/v1/deliveries/{dead['id']}/attempts", token="read").json == {"attempts": []}


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "bnVsbA", "WzFd", "WyJhIl0", "W1tdLCIiXQ", "_" * 2000, "Wy0xXQ", "WzFlOTk5XQ"]
)
@pytest.mark.parametrize("path", ["/v1/suppressions", "/v1/events", "/v1/deliveries"])
def test_a_cursor_of_ones_own_making_is_no_fault_of_the_server(shared: Service, path: str, cursor: str) -> None:
    assert shared.call("GET", f"{path}?cursor={cursor}", token="read").status in (200, 422)


# --- What did a server mean ---------------------------------------------------------------------------------------


def test_a_reply_is_judged(shared: Service) -> None:
    said = shared.call("POST", "/v1/classify", {"reply": "552 5.2.2 user is over quota"}, token="check")

    assert said.status == 200
    assert (said.json["category"], said.json["reason"], said.json["status"]) == ("soft", "mailbox_full", "5.2.2")


@pytest.mark.slow
def test_a_mail_is_judged_as_on_the_command_line(shared: Service, tmp_path: Any) -> None:
    from bounced.cli.classify import mails
    from bounced.cli.demo_mails import stories

    (tmp_path / "one.eml").write_bytes(stories(datetime.now(UTC))[0].content)
    (expected,) = mails([tmp_path / "one.eml"], shared.config)
    del expected["file"]

    said = shared.call(
        "POST", "/v1/classify", (tmp_path / "one.eml").read_bytes(), "check", {"Content-Type": "Message/RFC822"}
    )

    assert said.status == 200
    assert said.json == json.loads(json.dumps(expected))
    assert said.json["recipients"][0]["category"] == "hard"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_beyond_the_limits_is_refused(serving: Callable[..., Service]) -> None:
    service = serving(limits={"workers": 1, "message_bytes": 100_000, "header_lines": 50})
    large = b"Subject: x\r\n\r\n" + b"x" * 100_000
    odd = b"".join(b"X-%d: y\r\n" % n for n in range(60)) + b"\r\nx"

    too_large = service.call("POST", "/v1/classify", large, "check", {"Content-Type": "message/rfc822"})
    too_odd = service.call("POST", "/v1/classify", odd, "check", {"Content-Type": "message/rfc822"})

    assert too_large.status == 413
    assert too_odd.status == 422
    assert "header" in problem(too_odd)["faults"][0]["why"]


# --- What is wrong with a request ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/v1/nothing", None, {}, 404),
        ("GET", "/v1/suppressions/", None, {}, 422),
        ("GET", "/elsewhere/", None, {}, 404),
        ("DELETE", "/v1/suppressions", None, {}, 405),
        ("GET", "/v1/suppressions/check", None, {}, 405),
        ("POST", "/v1/suppressions/ann@example.com", {}, {}, 405),
        ("POST", "/v1/suppressions", b"<x/>", {"Content-Type": "text/xml"}, 415),
        ("POST", "/v1/suppressions", b"{}", {"Content-Type": "application/json; charset=utf-8"}, 422),
        ("POST", "/v1/suppressions", b"{}", {}, 415),
        ("POST", "/v1/suppressions", b"{", {"Content-Type": "application/json"}, 422),
        ("POST", "/v1/suppressions", b"\xff\xfe", {"Content-Type": "application/json"}, 422),
        ("POST", "/v1/suppressions", b"[" * 60_000, {"Content-Type": "application/json"}, 400),
        ("POST", "/v1/suppressions", b'{"\\ud800": 1}', {"Content-Type": "application/json"}, 422),
        ("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "\ud800"}, {}, 422),
        ("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "x", "days": 1e400}, {}, 422),
        ("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "x", "scope": "a\nb"}, {}, 422),
        ("POST", "/v1/suppressions", {"address": "ann", "why": "x"}, {}, 422),
        ("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "x", "dais": 1}, {}, 422),
        ("POST", "/v1/suppressions", b" " * 300_000, {"Content-Type": "application/json"}, 413),
        ("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "x", "days": "1"}, {}, 422),
        ("POST", "/v1/evidence", {"signs": [{"address": "ann@example.com", "kind": "open", "at": 0}]}, {}, 422),
        ("POST", "/v1/evidence", {"signs": [{"address": "ann@example.com", "kind": "bounced"}]}, {}, 422),
        ("GET", "/v1/suppressions?limit=0", None, {}, 422),
        ("GET", "/v1/suppressions?limit=501", None, {}, 422),
        ("GET", "/v1/suppressions?domain=a%20b", None, {}, 422),
        ("GET", "/v1/suppressions?since=2026-01-01", None, {}, 422),
        ("GET", "/v1/events?kind=nonsense", None, {}, 422),
        ("GET", "/v1/events?address=nonsense", None, {}, 422),
        ("GET", "/v1/events?rule=%00", None, {}, 200),
        ("GET", "/v1/deliveries/0/attempts", None, {}, 422),
        ("GET", "/v1/deliveries/99999999999999999999/attempts", None, {}, 422),
        ("POST", "/v1/deliveries/retry", {"ids": [2**53]}, {}, 422),
        ("POST", "/v1/deliveries/retry", {"ids": []}, {}, 422),
    ],
)  # fmt: skip
def test_every_mistake_is_a_problem_document(
    shared: Service, method: str, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    token = "read" if method == "GET" and path != "/v1/nothing" else "write"
    said = shared.call(method, path, body, token=token, headers=headers)

    assert said.status == status
    if status >= 400:
        assert "Traceback" not in json.dumps(problem(said))
    if status == 405:
        allowed = {"/v1/suppressions": "GET, POST", "/v1/suppressions/check": "POST"}
        assert said.headers["allow"] == allowed.get(path, "GET")


def test_an_endless_body_is_cut_off(shared: Service) -> None:
    """Sent in chunks, without a length: no more is read than the limit and a piece."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as connection:
        head = (
            "POST /v1/suppressions/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {shared.tokens['check']}\r\n\r\n"
        )
        connection.sendall(head.encode())
        sent = 0
        try:
            while sent < 50_000_000:
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                sent += 65536
        except OSError:
            pass

    assert sent < 20_000_000


def test_nothing_is_read_from_strangers(shared: Service) -> None:
    """The answer comes before the body that was announced."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/suppressions/check HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n"
            b"Content-Type: application/json\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


def test_browsers_are_told_to_be_careful(shared: Service) -> None:
    """Whatever the answer; and no other site may read it."""
    for path in ("/v1/suppressions", "/openapi.json", "/nothing"):
        said = shared.call("GET", path, headers={"Origin": "https://evil.example"})
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in said.headers["content-security-policy"]
        assert not any(name.startswith("access-control") or name == "server" for name in said.headers)


# --- In trouble ---------------------------------------------------------------------------------------------------


def test_a_database_that_is_gone_is_temporary(service: Service) -> None:
    """Never `not suppressed` by accident, and no word of where the database is."""
    assert service.ask("ann@example.com")["suppressed"] is False
    with service.store._write() as connection:
        connection.exec_driver_sql("ALTER TABLE suppression RENAME TO elsewhere")

    for method, path, body, _ in ROUTES[:2]:
        said = service.call(method, path, body, token="check")
        assert said.status == 503
        assert int(said.headers["retry-after"]) >= 1
        assert "sql" not in json.dumps(problem(said)).lower()


def test_an_outage_is_logged_once_in_a_while(service: Service) -> None:
    """However many ask: with what the database said, which nobody is told over HTTP."""
    import structlog

    assert service.ask("ann@example.com")["suppressed"] is False
    with service.store._write() as connection:
        connection.exec_driver_sql("ALTER TABLE suppression RENAME TO elsewhere")
    with structlog.testing.capture_logs() as lines:
        for _ in range(20):
            assert service.call("GET", ROUTES[0][1], token="check").status == 503

    (told,) = [line for line in lines if line["log_level"] not in ("debug", "info")]
    assert (told["event"], told["error"]) == ("cannot answer now", "StoreDown")
    assert not [line for line in lines if line["log_level"] == "info"]


def test_a_fault_of_the_program_shows_nothing_of_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(service.store, "event", broken)

    said = service.call("GET", "/v1/events/x", token="read")

    assert said.status == 500
    assert b"secret" not in said.body
    assert problem(said)["detail"]


def test_many_ask_at_once(service: Service) -> None:
    """Look-ups, changes and listings beside each other: every answer is right."""
    for number in range(20):
        service.suppress(f"user{number}@example.com")

    def work(number: int) -> bool:
        address = f"user{number % 40}@example.com"
        if number % 10 == 0:
            body = {"address": f"new{number}@example.com", "why": "x"}
            return service.call("POST", "/v1/suppressions", body, token="write").status == 201
        return bool(service.ask(address)["suppressed"]) == (number % 40 < 20)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(200)))


def test_log_lines_name_the_route_and_never_the_address(service: Service) -> None:
    import structlog

    with structlog.testing.capture_logs() as lines:
        service.call("GET", "/v1/suppressions/ann@example.com", token="check")
        service.call("GET", "/v1/suppressions/ann", token="check")
        service.call("POST", "/v1/suppressions", {"address": "ann@example.com", "why": "x"}, token="write")
        assert _soon(lambda: len(lines) >= 3, 5)

    assert "ann" not in json.dumps(lines)
    assert service.tokens["check"] not in json.dumps(lines)
    told = {(line["route"], line["status"]): (line["log_level"], line["token"]) for line in lines}
    assert told["/v1/suppressions/{address:address}", 200] == ("debug", "check")
    assert told["/v1/suppressions/{address:address}", 422] == ("info", "check")
    assert told["/v1/suppressions", 201] == ("info", "write")


# --- What the sender knows ----------------------------------------------------------------------------------------


def test_signs_of_life_release_what_soft_failures_suppressed(service: Service) -> None:
    """And dispute what a dead address is suppressed for."""
    now = datetime.now(UTC)
    full = [
        event(n, now - timedelta(days=9 - n), address="full@example.com", category="soft", reason="mailbox_full")
        for n in range(9)
    ]
    dead = event(10, now - timedelta(days=1), address="dead@example.com")
    with service.store.begin() as tx:
        tx.record([*full, dead])
    service.suppress("full@example.com", category="soft", reason="mailbox_full", event_id=full[-1].id)
    service.suppress("dead@example.com", event_id=dead.id)
    signs = [
        {"address": "Full@example.com", "kind": "click"},
        {"address": "dead@example.com", "kind": "login", "at": "9999-01-01T00:00:00Z"},
    ]

    said = service.call("POST", "/v1/evidence", {"signs": signs}, token="write")

    assert (said.status, said.json["taken"]) == (200, 2)
    assert not service.ask("full@example.com")["suppressed"]
    assert service.ask("dead@example.com")["suppression"]["disputed"] is not None
    assert [e["address"] for e in pages(service, "/v1/suppressions?limit=9&disputed=true")] == ["dead@example.com"]
    (sign,) = service.store.signs("dead@example.com")
    assert sign.source == "token write"
    assert sign.at <= datetime.now(UTC)


def test_one_wrong_sign_keeps_all_from_being_taken(service: Service) -> None:
    signs = [{"address": "ann@example.com", "kind": "open"}, {"address": "nobody", "kind": "open"}]

    said = service.call("POST", "/v1/evidence", {"signs": signs}, token="write")

    assert said.status == 422
    assert problem(said)["faults"] == [{"at": "body.signs[1].address", "why": "is no mail address"}]
    assert service.store.signs("ann@example.com") == []


def test_a_word_on_a_wave(service: Service) -> None:
    """Released, its reports never count; confirmed, they do."""
    now = datetime.now(UTC)
    events = [event(n, now, provider="big", address=f"user{n}@big.example") for n in range(5)]
    wave = Wave(
        0, "big", Reason.MAILBOX_UNKNOWN, WaveState.ASKING, now - timedelta(hours=1), now, now,
        now + timedelta(hours=1), 1.0, 5, 2.0, 1.0, "far more than ever",
    )  # fmt: skip
    with service.store.begin() as tx:
        number = tx.write_wave(wave).id
        tx.record(events)
        tx.hold([Member(number, e.address or "", now, now, e.id) for e in events])

    (listed,) = service.call("GET", "/v1/waves", token="read").json["items"]
    assert listed == service.call("GET", f"/v1/waves/{number}", token="read").json
    assert (listed["provider"], listed["state"], listed["held"]) == ("big", "asking", 5)
    held = pages(service, f"/v1/waves/{number}/addresses?limit=2")
    assert [m["address"] for m in held] == [f"user{n}@big.example" for n in range(5)]

    confirmed = service.call("POST", f"/v1/waves/{number}/confirm", token="write")
    assert confirmed.json == {"state": "confirmed", "suppressed": 5, "released": 0}
    assert service.ask("user3@big.example")["suppressed"]

    released = service.call("POST", f"/v1/waves/{number}/release", token="write")
    assert released.json["released"] == 5
    assert not service.ask("user3@big.example")["suppressed"]
    assert service.call("GET", "/v1/waves", token="read").json["items"] == []
    (settled,) = service.call("GET", "/v1/waves?everything=true", token="read").json["items"]
    assert settled["actor"] == "token write"


def test_there_is_no_such_wave(shared: Service) -> None:
    for method, path in (("GET", ""), ("GET", "/addresses"), ("POST", "/release"), ("POST", "/confirm")):
        token = "read" if method == "GET" else "write"
        assert shared.call(method, f"/v1/waves/7{path}", token=token).status == 404
    assert shared.call("GET", "/v1/alarms", token="read").json == {"items": [], "next": None}


def test_waves_and_alarms_come_page_by_page(service: Service) -> None:
    """Newest first, none twice and none left out; what opens meanwhile shifts nothing."""
    now = datetime.now(UTC)
    wave = Wave(
        0, "big", Reason.MAILBOX_UNKNOWN, WaveState.RELEASED, now, now, now, now, 1.0, 5, 2.0, 1.0, "many", "ann"
    )
    alarm = Alarm(0, "big", Reason.MAILBOX_UNKNOWN, Fault.SENDER, now, now, None, 1.0, 5, 2.0)
    with service.store.begin() as tx:
        waves = [tx.write_wave(replace(wave, provider=f"p{n}")).id for n in range(5)]
        alarms = [tx.write_alarm(replace(alarm, provider=f"p{n}")).id for n in range(5)]

    for path, numbers in (("/v1/waves?everything=true&limit=2", waves), ("/v1/alarms?limit=2", alarms)):
        assert [item["id"] for item in pages(service, path)] == numbers[::-1]
        assert service.call("GET", f"{path}&cursor=nonsense", token="read").status == 422


def test_answers_do_not_wait_for_confirmations(shared: Service) -> None:
    """Header and body leave at once: otherwise each look-up on an open connection takes 40 ms."""
    with closing(HTTPConnection("127.0.0.1", shared.port, timeout=30)) as connection:
        seconds = []
        for _ in range(20):
            began = time.perf_counter()
            connection.request(
                "GET", "/v1/suppressions/a@b.example", headers={"Authorization": f"Bearer {shared.tokens['check']}"}
            )
            connection.getresponse().read()
            seconds.append(time.perf_counter() - began)

    assert min(seconds) < 0.02
