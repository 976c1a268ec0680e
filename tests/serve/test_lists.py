"""Whole lists over HTTP: the same forms, counts and all-or-nothing as the command, out as they came in."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from bounced.model import Suppression
from bounced.store import SuppressionQuery
from tests.serve.conftest import Said, Service

OURS = "address,category,reason,why\nann@example.org,hard,mailbox_unknown,gone\nbob@example.org,complaint,abuse,spam\n"


def take(service: Service, content: str | bytes, type_: str = "text/csv", **query: Any) -> Said:
    body = content.encode() if isinstance(content, str) else content
    path = f"/v1/suppressions/import?{urlencode(query)}"
    return service.call("POST", path, body, "write", {"Content-Type": type_})


def held(service: Service) -> list[Suppression]:
    return list(service.store.suppressions(SuppressionQuery()))


def test_a_list_is_looked_at_taken_in_and_known_again(service: Service) -> None:
    """The journal names the file and who brought it."""
    looked = take(service, OURS, dry_run="true", name="old.csv")
    assert (looked.status, looked.json["dry_run"], looked.json["added"]) == (200, True, {"complaint": 1, "hard": 1})
    assert held(service) == []

    taken = take(service, OURS, name="old.csv", scope="news")
    assert (taken.status, taken.json["dry_run"], taken.json["entries"]) == (200, False, 2)
    assert {(e.address, e.scope, e.actor) for e in held(service)} == {
        (name, "news", "import old.csv by token write") for name in ("ann@example.org", "bob@example.org")
    }
    again = take(service, OURS, name="old.csv", scope="news")
    assert (again.json["added"], again.json["known"]) == ({}, 2)


@pytest.mark.parametrize(
    ("content", "type_", "query", "format_", "added"),
    [
        ("ann@example.org,BOUNCE\nbob@example.org,COMPLAINT\n", "text/plain", {}, "Amazon SES", 2),
        ("reason,email,created\nKnown bad domain,ann@example.org,1760000000\n", "text/csv", {}, "SendGrid", 1),
        ("ann@example.org\nbob@example.org\n", "text/csv", {"as": "addresses"}, "addresses", 2),
        (json.dumps({"address": "ann@example.org", "category": "hard"}), "application/x-ndjson", {}, "", 1),
        (
            json.dumps([{"created": 1760000000, "email": "ann@example.org", "reason": "x", "status": "5.1.1"}]),
            "application/json",
            {"as": "sendgrid-blocks"},
            "SendGrid",
            0,
        ),
    ],
)
def test_foreign_lists_are_recognised(
    service: Service, content: str, type_: str, query: dict[str, str], format_: str, added: int
) -> None:
    """By what is in them, whatever type they are called; blocks are no suppressions."""
    said = take(service, content, type_, **query)

    assert said.status == 200, said.body
    assert format_ in said.json["format"]
    assert len(held(service)) == added


def test_a_line_that_cannot_be_read_stops_all_of_them(service: Service) -> None:
    """Each is named with its number; the rest comes in only when that is asked for."""
    bad = OURS + "nobody,hard,x,y\n" + "c@example.org,no-such-category,x,y\n"

    refused = take(service, bad)
    assert (refused.status, held(service)) == (422, [])
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json["detail"].startswith("2 lines cannot be read")
    assert [fault["at"] for fault in refused.json["faults"]] == ["body.line 4", "body.line 5"]
    assert "no mail address" in refused.json["faults"][0]["why"]

    rest = take(service, bad, skip_bad="true")
    assert (rest.status, rest.json["refused"], len(held(service))) == (200, 2, 2)


def test_so_many_bad_lines_are_named_and_the_others_counted(service: Service) -> None:
    """The answer stays small."""
    said = take(service, "address,category\n" + "nobody,hard\n" * 1000)

    assert len(said.json["faults"]) == 21
    assert said.json["faults"][-1]["why"] == "and 980 lines more"


@pytest.mark.parametrize(
    ("content", "query", "words"),
    [
        ("", {}, "empty"),
        ("status,reason,email,created\n5.1.1,x,ann@example.org,1\n", {}, "--as"),
        ("one,two\n1,2\n", {}, "not known"),
        (OURS, {"as": "no-such-form"}, "want one of"),
        (OURS, {"colour": "red"}, "no parameter"),
    ],
)
def test_what_is_no_list_is_refused_with_what_to_do(
    service: Service, content: str, query: dict[str, str], words: str
) -> None:
    """As a problem document; nothing is guessed."""
    said = take(service, content, **query)

    assert said.status == 422
    assert words in str(said.json["faults"])


def test_a_list_has_a_limit_and_needs_a_token_that_may_write(serving: Callable[..., Service]) -> None:
    """No more is read than is allowed."""
    service = serving(http={"import_bytes": 1_000})

    assert take(service, OURS).status == 200
    assert take(service, "address\n" + "ann@example.org\n" * 100).status == 413
    path = "/v1/suppressions/import"
    assert service.call("POST", path, b"x", "read", {"Content-Type": "text/csv"}).status == 403
    assert service.call("POST", path, b"x", "write", {"Content-Type": "image/png"}).status == 415
    assert service.call("GET", path, token="write").status == 405


@pytest.mark.parametrize(("form", "type_"), [("csv", "text/csv"), ("jsonl", "application/x-ndjson")])
def test_what_goes_out_comes_in_as_it_was(service: Service, form: str, type_: str) -> None:
    """Filtered as the listing is; more than one page of it."""
    for number in range(1203):
        service.suppress(f"user{number:04}@example.org", scope="news" if number % 3 else "*", why="=cmd()")
    whole = service.call("GET", f"/v1/suppressions/export?format={form}", token="read")
    part = service.call("GET", f"/v1/suppressions/export?format={form}&scope=news", token="read")

    assert whole.headers["content-type"].startswith(type_)
    assert "attachment" in whole.headers["content-disposition"]
    assert len(whole.body.splitlines()) - (form == "csv") == 1203
    assert len(part.body.splitlines()) - (form == "csv") == 802
    again = take(service, whole.body, type_)
    assert (again.status, again.json["known"], again.json["added"]) == (200, 1203, {})
    assert service.call("GET", "/v1/suppressions/export?format=xml", token="read").status == 422
    assert service.call("GET", "/v1/suppressions/export", token="check").status == 403
