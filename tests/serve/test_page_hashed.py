"""Where no address is kept, only its hash, the pages still answer for whoever names one."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounced.serve.throttle import Throttle
from bounced.store import TokenScope
from tests.serve.conftest import Service
from tests.serve.site import Site
from tests.store.conftest import event

NAME = "ann@example.com"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = {"addresses": "hashed", "key": "a key that is long enough for the hashes of all addresses"}
    with closing(Service(f"sqlite:///{tmp_path}/bounced.db", Throttle(), privacy=settings)) as service:
        with service.store.begin() as tx:
            tx.record([event(1, datetime.now(UTC), address=NAME, decision="suppressed in *")])
        service.suppress(NAME)
        with closing(Site(service)) as made:
            made.log_in(TokenScope.READ, TokenScope.WRITE)
            yield made


def test_an_address_is_found_released_and_erased_by_its_name(site: Site) -> None:
    """And stands on no page that did not have it from whoever asked."""
    csrf = site.csrf()
    (recorded,) = site.service.store.events()
    for path in ("/mails", "/suppressions", f"/event?id={recorded.id}"):
        shown = site.call("GET", path)
        assert (shown.status, NAME in shown.body.decode()) == (200, False), path
    assert "1 mail," in site.call("GET", f"/mails?address={NAME}").body.decode()
    told = site.call("GET", f"/address?address={NAME}").body.decode()
    assert "Not to be mailed at all" in told and "suppressed in *" in told

    site.call("POST", "/address/release", {"csrf": csrf, "address": NAME, "scope": "*", "why": "called"})
    told = site.call("GET", f"/address?address={NAME}").body.decode()
    assert "May be mailed." in told and "called" in told
    site.call("POST", "/address/suppress", {"csrf": csrf, "address": NAME, "scope": "*", "why": "again"})
    assert "again" in site.call("GET", f"/address?address={NAME}").body.decode()

    form = {"csrf": csrf, "address": NAME, "typed": NAME, "why": "wish"}
    assert site.call("POST", "/address/erase", form).status == 303
    assert "1 mail," not in site.call("GET", f"/mails?address={NAME}").body.decode()
