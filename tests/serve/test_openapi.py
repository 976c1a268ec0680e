"""What the interface says of itself is so: schemathesis, which reads the description, finds no fault."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounced.model import Notification
from bounced.serve.v1.shapes import cursor
from bounced.store import TokenScope
from tests.serve.conftest import Service
from tests.store.conftest import event

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATIONS = 28
#: What no schema can say: a cursor is what a listing gave, and whether a text is a list.
#: A body that breaks a rule of its form may also be too large.
SETTINGS = f"""
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]
[phases.coverage]
unexpected-methods = ["DELETE", "OPTIONS"]
[[operations]]
include-name = "GET /v1/suppressions"
parameters = {{ cursor = "{cursor("a@b.example", "*")}" }}
[[operations]]
include-name = "POST /v1/suppressions/import"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "409", "422"]
[[operations]]
include-name = "GET /v1/events"
parameters = {{ cursor = "{cursor(NOW.isoformat(), "ev_1")}" }}
[[operations]]
include-name = "GET /v1/reports"
parameters = {{ from = "2026-11-01", to = "2026-11-30", timezone = "Europe/Berlin" }}
[[operations]]
include-name = ["GET /v1/deliveries", "GET /v1/waves", "GET /v1/alarms"]
parameters = {{ cursor = "{cursor(5)}" }}
[[operations]]
include-name = "GET /v1/waves/{{id}}/addresses"
parameters = {{ cursor = "{cursor("a@b.example")}" }}
[[operations]]
include-name = "GET /v1/events/{{id}}"
parameters = {{ id = "{event(1, NOW).id}" }}
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis_finds_no_fault(shared: Service, tmp_path: Path) -> None:
    """Every check it has: examples, edges of every schema, random requests right and wrong, chains of requests."""
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    shared.suppress("ann@example.com")
    with shared.store.begin() as tx:
        tx.record([event(1, NOW)])
        tx.announce([Notification("msg_1", "bounce.hard", NOW, {"address": "ann@example.com"})])
    token = shared.token("all", *TokenScope)
    said = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{shared.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {token}", "--no-color"),
            *("--max-examples", "2", "--workers", "1", "--seed", "1"),
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip

    assert said.returncode == 0, said.stdout[-8000:] + said.stderr[-2000:]
    assert f"Selected: {OPERATIONS}/{OPERATIONS}" in said.stdout


def test_everything_is_described(shared: Service) -> None:
    """Each route with its token, and each error in the one form that errors have."""
    described = shared.call("GET", "/openapi.json").json

    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"token": []}], (method, path)
            assert operation["description"], (method, path)
            errors = {s: r["content"] for s, r in operation["responses"].items() if s >= "400"}
            assert {"401", "403", "422", "429", "503"} <= set(errors)
            assert {json.dumps(content) for content in errors.values()} == {
                '{"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}'
            }
    assert described["components"]["schemas"]["Problem"]["required"] == ["type", "title", "status", "detail"]
    assert "HTTPValidationError" not in described["components"]["schemas"]
