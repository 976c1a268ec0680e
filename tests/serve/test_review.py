"""The review queue over HTTP: read, try, accept, dismiss."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounced.reviewing import FILE
from tests.serve.conftest import Service
from tests.test_review import MOON, put, unknown


@pytest.fixture
def site(serving: Callable[..., Service], tmp_path: Path) -> Service:
    (tmp_path / "rules").mkdir()
    made = serving(rules={"local": str(tmp_path / "rules")})
    now = datetime.now(UTC)
    put(made.store, *(replace(unknown(n, MOON.format(f"u{n}@example.org", n)), at=now) for n in range(3)))
    return made


def test_review_to_rule(site: Service, tmp_path: Path) -> None:
    """What is listed has a suggestion; tried, it changes nothing; accepted, it is in the operator's folder."""
    (listed,) = site.call("GET", "/v1/review?cause=unknown", token="read").json["items"]
    path = f"/v1/review/{listed['key']}"
    whole = site.call("GET", path, token="read").json
    assert (whole["amount"], len(whole["examples"])) == (3, 3)
    assert "moon" in whole["suggestion"]["text"]

    tried = site.call("POST", f"{path}/accept", {"reason": "network", "dry_run": True}, token="write")
    assert (tried.status, tried.json["hits"], tried.json["file"]) == (200, 3, "")
    assert not (tmp_path / "rules" / FILE).exists()

    taken = site.call("POST", f"{path}/accept", {"reason": "network", "id": "own.moon"}, token="write")
    assert taken.json["moves"] == [{"before": "soft unknown (none)", "after": "soft network (network)", "amount": 3}]
    assert "by token write" in (tmp_path / "rules" / FILE).read_text()
    assert site.call("GET", "/v1/review", token="read").json["items"] == []
    assert len(site.call("GET", "/v1/review?everything=true", token="read").json["items"]) == 1


def test_what_does_not_hold_is_refused_with_its_reasons(site: Service) -> None:
    (listed,) = site.call("GET", "/v1/review", token="read").json["items"]
    path = f"/v1/review/{listed['key']}/accept"

    refused = site.call("POST", path, {"reason": "network", "text": "("}, token="write")

    assert refused.status == 409
    assert "RE2 does not take" in refused.json["faults"][0]["why"]
    assert site.call("POST", path, {"reason": "unknown"}, token="write").status == 422


def test_dismissed(site: Service) -> None:
    (listed,) = site.call("GET", "/v1/review", token="read").json["items"]
    assert site.call("POST", f"/v1/review/{listed['key']}/dismiss", token="write").json == {"amount": 3}
    assert site.call("GET", "/v1/review", token="read").json["items"] == []
    assert site.call("POST", f"/v1/review/{'0' * 16}/dismiss", token="write").status == 404
