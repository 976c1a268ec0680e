"""docs/http.md says what is so."""

import re
from pathlib import Path

from bounced.serve.v1.doors import SMALL
from bounced.serve.v1.suppressions import BATCH
from bounced.store import TokenScope
from tests.serve.conftest import Service

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text()


def test_it_names_every_route_and_its_scope(shared: Service) -> None:
    """And the filters of each listing; none that does not exist."""
    told = dict(re.findall(r"^\| `([A-Z]+ /v1[^`]*)` \| (\w+) \|", PAGE, re.M))
    described = shared.call("GET", "/openapi.json").json["paths"]
    routes = {f"{method.upper()} {path}": o for path, methods in described.items() for method, o in methods.items()}
    assert set(told) == set(routes)

    for route, scope in told.items():
        method, path = route.split()
        for asked in TokenScope:
            status = shared.call(method, path.replace("{id}", "1"), token=asked.value).status
            assert (status != 403) == (asked == scope or (scope, asked) == ("check", TokenScope.READ)), (route, asked)


def test_it_names_every_filter(shared: Service) -> None:
    described = shared.call("GET", "/openapi.json").json["paths"]
    for path in ("/v1/suppressions", "/v1/events", "/v1/deliveries"):
        (row,) = re.findall(rf"^\| `GET {path}` \|.*$", PAGE, re.M)
        names = {parameter["name"] for parameter in described[path]["get"]["parameters"]}
        assert set(re.findall(r"`(\w+)`", row.partition(":")[2])) == names - {"limit", "cursor"}


def test_its_numbers_are_right() -> None:
    assert f"up to {BATCH:,} addresses" in PAGE
    assert f"Bodies: {SMALL // 1024} KB" in PAGE
