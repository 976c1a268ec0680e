"""Figures over HTTP: the same as the command's and the CSV's, to the unit; and counts of what was sent."""

import contextlib
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bounced.model import By, Category, Figure, Tags
from bounced.store import Store
from tests.cli.conftest import call, write_config
from tests.serve.conftest import Service
from tests.store.conftest import change, event

AT = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
SPAN = "from=2026-10-01&to=2026-11-30&timezone=Europe/Berlin"
OPTIONS = ("--from", "2026-10-01", "--to", "2026-11-30", "--timezone", "Europe/Berlin")
EVIL = '=HYPERLINK("http://x","y")'


def fill(store: Store) -> None:
    """Write what happened around the end of summer time: some of it counted in advance, some not."""
    kinds = [*Category] * 20
    events = [
        event(n, AT + timedelta(hours=n), category=kind, provider=("google", "yahoo", None)[n % 4 % 3],
              tags=Tags((EVIL, "autumn")[n % 2], "news", ("promo", "@sum") if n % 5 else ()))
        for n, kind in enumerate(kinds)
    ]  # fmt: skip
    with store.begin() as tx:
        tx.record(events)
        tx.journal([change(f"user{n}@example.org", AT, event_id=events[n].id) for n in range(7)])
    store.roll_up(AT + timedelta(days=1))


@pytest.fixture
def told(serving: Callable[..., Service]) -> Service:
    service = serving()
    fill(service.store)
    return service


def numbers(rows: list[dict[str, Any]], by: str) -> dict[str, list[int]]:
    """Return the figures by key, less the apostrophe that keeps a cell from being a formula."""
    return {
        (str(row[by] or "")).removeprefix("'"): [int(row[figure.value]) for figure in Figure]
        for row in rows
        if any(int(row[figure.value]) for figure in Figure)
    }


@pytest.mark.parametrize("by", [By.DAY, By.CAMPAIGN, By.CATEGORY, By.PROVIDER, By.RULE])
def test_command_interface_and_csv_agree(told: Service, tmp_path: Path, by: By) -> None:
    """To the unit, whatever the rows stand for."""
    write_config(tmp_path, database={"url": told.config.database.url})
    with contextlib.chdir(tmp_path):
        printed = call("report", "--by", by, *OPTIONS, "--format", "json")
        as_table = call("report", "--by", by, *OPTIONS)
        as_csv = call("report", "--by", by, *OPTIONS, "--format", "csv")
    answer = told.call("GET", f"/v1/reports?by={by}&{SPAN}", token="read").json
    over_http = numbers(answer["rows"], "key")
    written = told.call("GET", f"/v1/reports?by={by}&{SPAN}&format=csv", token="read")

    assert answer["total"]["hard"] == 20 and answer["total"]["suppressed"] == 7
    assert numbers(list(csv.DictReader(io.StringIO(written.body.decode()))), by) == over_http
    assert numbers(list(csv.DictReader(io.StringIO(as_csv.stdout))), by) == over_http
    assert numbers(json.loads(printed.stdout), by) == over_http
    assert as_table.returncode == 0 and "\x1b" not in as_table.stdout
    assert as_table.stdout.rstrip().splitlines()[-2].split()[:2] == ["total", "20"]
    cells = [cell for row in csv.reader(io.StringIO(written.body.decode())) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_days_are_those_of_the_zone(told: Service) -> None:
    """25 hours on the day when summer time ends; none is left out; compared with as many before."""
    path = "/v1/reports?from=2026-10-25&to=2026-10-26&timezone=Europe/Berlin&compare=true"
    answer = told.call("GET", path, token="read").json

    assert [row["key"] for row in answer["rows"]] == ["2026-10-25", "2026-10-26"]
    assert [sum(row[name] for name in ("hard", "soft", "complaints")) for row in answer["rows"]] == [24, 24]
    assert (answer["before"], answer["rows"][0]["before"]["hard"]) == ({"first": "2026-10-23", "last": "2026-10-24"}, 0)


def test_what_was_sent_makes_rates(told: Service) -> None:
    """Told again it is replaced; where nobody told, there is no rate."""
    counts = [{"day": "2026-10-25", "sent": 999, "provider": "google"}, {"day": "2026-10-25", "sent": 100}]
    for sent in (999, 1000):
        counts[0]["sent"] = sent
        assert told.call("POST", "/v1/sent", {"counts": counts}, token="write").json == {"taken": 2}
    rows = told.call("GET", f"/v1/reports?by=provider&{SPAN}", token="read").json["rows"]

    by_key = {row["key"]: row for row in rows}
    assert (by_key["google"]["sent"], by_key[None]["sent"], by_key["yahoo"]["sent"]) == (1000, 100, None)
    assert by_key["google"]["hard_rate"] == by_key["google"]["hard"] / 1000
    assert by_key["yahoo"]["hard_rate"] is None


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("from=2026-11-02&to=2026-11-01", "query.to"),
        ("timezone=Europe/Nowhere", "query.timezone"),
        ("timezone=../../etc/passwd", "query.timezone"),
        ("from=1990-01-01&to=2020-01-01", "query.from"),
        ("from=20261101", "query.from"),
        ("from=0", "query.from"),
        ("by=week", "query.by"),
        ("reason=tired", "query.reason"),
        ("since=2026-11-01", "query.since"),
    ],
)
def test_what_cannot_be_asked(shared: Service, query: str, at: str) -> None:
    """Each mistake is told by its place."""
    said = shared.call("GET", f"/v1/reports?{query}", token="read")

    assert said.status == 422
    assert [fault["at"] for fault in said.json["faults"]] == [at]


@pytest.mark.parametrize(
    "count", [{"day": "2026-11-31", "sent": 1}, {"day": 5, "sent": 1}, {"day": "2026-11-01", "sent": -1}, {"sent": 1},
              {"day": "2026-11-01", "sent": 1, "campaign": ""}, {"day": "2026-11-01", "sent": 1, "bounced": 2}],
)  # fmt: skip
def test_what_is_no_count(shared: Service, count: dict[str, object]) -> None:
    """Where one is none, none is taken."""
    good = {"day": "2026-11-01", "sent": 5}

    assert shared.call("POST", "/v1/sent", {"counts": [good, count]}, token="write").status == 422
    day = datetime(2026, 11, 1, tzinfo=UTC).date()
    assert shared.store.sent_amounts(day, day) == []
