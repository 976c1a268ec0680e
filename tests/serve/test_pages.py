"""The frame of the page: who gets in, what a form must bring, what a stranger's site cannot do."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request, Response
from sqlalchemy import update
from structlog.testing import capture_logs

from bounced.config import Http as HttpSettings
from bounced.errors import StoreDown
from bounced.serve.server import Server, application
from bounced.store import TokenScope
from bounced.store.session_tables import page_session
from tests.serve.conftest import Service
from tests.serve.site import Site

READ, WRITE = TokenScope.READ, TokenScope.WRITE


@pytest.fixture
def site(shared: Service) -> Iterator[Site]:
    with closing(Site(shared)) as made:
        yield made


def test_nobody_sees_a_page_without_a_token(site: Site) -> None:
    """But is led to where one logs in, and back from there to what was asked for."""
    said = site.call("GET", "/health?a=b")
    assert (said.status, said.headers["location"]) == (303, "/login?next=%2Fhealth%3Fa%3Db")

    said = site.log_in(READ)
    assert (said.status, said.headers["location"]) == (303, "/health")
    assert "HttpOnly" in said.headers["set-cookie"] and "SameSite=strict" in said.headers["set-cookie"]
    assert site.call("GET", "/health").status == 200


@pytest.mark.parametrize(("scopes", "status"), [((TokenScope.CHECK,), 403), ((WRITE,), 403), ((READ,), 303)])
def test_a_token_that_may_not_read_does_not_open_the_page(
    site: Site, scopes: tuple[TokenScope, ...], status: int
) -> None:
    assert site.log_in(*scopes).status == status
    assert (site.call("GET", "/").status == 200) == (status == 303)


def test_who_guesses_tokens_is_told_to_wait_and_who_has_one_is_not(site: Site) -> None:
    with capture_logs() as logged:
        assert [site.call("POST", "/login", {"token": "x"}).status for _ in range(5)] == [401, 401, 401, 429, 429]
    assert [line["event"] for line in logged].count("login failed") == 3
    assert site.log_in(READ).status == 303


def test_a_revoked_token_ends_its_sessions_at_once(site: Site) -> None:
    site.log_in(READ)
    assert site.call("GET", "/").status == 200

    site.service.store.revoke_token(site.name, datetime.now(UTC))
    assert site.call("GET", "/").status == 303


def test_logging_out_makes_a_copy_of_the_cookie_worthless(site: Site) -> None:
    site.log_in(READ)
    copy = dict(site.cookies)
    assert site.call("POST", "/logout", {"csrf": site.csrf()}).status == 303

    site.cookies = copy
    assert site.call("GET", "/").status == 303


def test_a_session_ends_by_the_clock(site: Site) -> None:
    """After an hour without a click, and after eight whatever was clicked."""
    token = site.token(READ)
    for began, seen in ((timedelta(hours=2), timedelta(minutes=61)), (timedelta(hours=8, minutes=1), timedelta(0))):
        assert site.call("POST", "/login", {"token": token}).status == 303
        assert site.call("GET", "/").status == 200
        _age(site, began, seen)
        assert site.call("GET", "/").status == 303


def test_a_cookie_that_was_tampered_with_opens_nothing(site: Site) -> None:
    site.log_in(READ)
    id_, secret, mac = site.cookies["bounced"].split(".")
    other = site.token(READ).split("_")[1]
    changed = ("B" if secret[0] == "A" else "A") + secret[1:]
    for forged in (
        f"{other}.{secret}.{mac}",
        f"{id_}.{changed}.{mac}",
        f"{id_}.{secret}.{'0' * 64}",
        "",
        "x" * 9_000,
    ):
        site.cookies["bounced"] = forged
        assert site.call("GET", "/").status == 303, forged


def test_a_message_that_something_else_on_this_host_left_is_none(site: Site) -> None:
    """Cookies know no ports."""
    site.log_in(READ)
    for forged in ("x", "é.é", "x." + "0" * 64):
        site.cookies["bounced_said"] = forged
        said = site.call("GET", "/health")
        assert (said.status, 'role="status"' in said.body.decode()) == (200, False), forged


def test_a_form_needs_the_word_of_this_session_and_our_own_origin(site: Site) -> None:
    site.log_in(READ, WRITE)
    csrf = site.csrf()
    foreign = {"Origin": "https://evil.example"}
    assert site.call("POST", "/logout", {}).status == 403
    assert site.call("POST", "/logout", {"csrf": "0" * 64}).status == 403
    assert site.call("POST", "/logout", {"csrf": csrf}, **foreign).status == 403
    assert site.call("POST", "/logout", {"csrf": csrf}, Sec_Fetch_Site="cross-site").status == 403
    assert site.call("POST", "/login", {"token": "x"}, **foreign).status == 403
    assert site.call("GET", "/").status == 200
    assert site.call("POST", "/logout", {"csrf": csrf}, Sec_Fetch_Site="same-origin").status == 303


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("evil.example:8025", 421),
        ("localhost", 303),
        ("[::1]:80", 303),
        ("bounces.example", 303),
    ],
)
def test_a_name_that_is_not_ours_gets_no_page(shared: Service, host: str, status: int) -> None:
    """A site whose name stands for 127.0.0.1 (DNS rebinding) is none of ours."""
    with closing(Site(shared, names=["bounces.example"])) as site:
        assert site.call("GET", "/", Host=host).status == status


def test_behind_tls_the_cookie_is_for_tls_and_this_host_alone(site: Site) -> None:
    said = site.call("POST", "/login", {"token": site.token(READ)}, X_Forwarded_Proto="https")
    assert said.headers["set-cookie"].startswith("__Host-bounced=")
    assert "Secure" in said.headers["set-cookie"]
    assert site.call("GET", "/").status == 303
    assert site.call("GET", "/", X_Forwarded_Proto="https").status == 200


def test_the_page_can_be_turned_off(shared: Service) -> None:
    with closing(Site(shared, pages=False)) as site:
        for path in ("/", "/login", "/static/app.css"):
            assert site.call("GET", path).status == 404
        assert site.call("GET", "/v1/waves").status == 401


@pytest.mark.parametrize("text", ["Done: 3 <b>addresses</b> released.", "漢😀\ud800\r\nSet-Cookie: x=y;" * 90])
def test_a_message_is_shown_once_whatever_it_says(site: Site, text: str) -> None:
    """It travels in a cookie that only this session can have made; one of another session is none."""
    told, token = site.pages.frame.told(), site.token(READ)

    @told.post("/say")
    async def say(request: Request) -> Response:
        return site.pages.frame.after(request, "/health", text)

    site.server.stop()
    site.server = Server(application([*site.pages.routers, told], site.pages.dress), HttpSettings(port=0))
    site.server.start()
    site.log_in(READ, WRITE)
    assert site.call("POST", "/say", {"csrf": site.csrf()}).headers["location"] == "/health"
    assert all(len(cookie) < 4_000 for cookie in site.cookies.values())
    stolen = site.cookies["bounced_said"]

    assert 'role="status"' in site.call("GET", "/health").body.decode()
    assert 'role="status"' not in site.call("GET", "/health").body.decode()
    assert site.call("POST", "/login", {"token": token}).status == 303
    site.cookies["bounced_said"] = stolen
    assert 'role="status"' not in site.call("GET", "/health").body.decode()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=b" * 200_000, "application/x-www-form-urlencoded", 413),
        (b"%ff=%00&csrf=\xff", "application/x-www-form-urlencoded", 403),
        (b"{}", "application/json", 415),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 403),
        (b"", "multipart/form-data", 400),
        (b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="f"\r\n\r\nx\r\n--x--\r\n',
         "multipart/form-data; boundary=x", 403),
    ],
)  # fmt: skip
def test_a_broken_form_is_refused(site: Site, body: bytes, kind: str, status: int) -> None:
    site.log_in(READ, WRITE)
    assert site.call("POST", "/logout", body, Content_Type=kind, Origin=site.origin).status == status


def test_no_page_loads_or_sends_anything_elsewhere(site: Site) -> None:
    site.log_in(READ)
    said = site.call("GET", "/")
    assert "default-src 'none'" in said.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in said.headers["content-security-policy"]
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["cache-control"] == "no-store"
    page = said.body.decode()
    assert not re.search(r"(?:src|href|action)=\"(?!/|#)", page)
    assert not re.search(r"<style|<script(?! src)| style=| on\w+=", page)


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_a_login_leads_to_no_other_site(site: Site, to: str) -> None:
    said = site.call("POST", "/login", {"token": site.token(READ), "next": to})
    assert (said.status, said.headers["location"]) == (303, "/")


def test_a_link_on_another_site_leads_to_the_page_and_not_to_the_login(site: Site) -> None:
    """The browser keeps a strict cookie back then; the same page asks for itself once more."""
    said = site.call("GET", "/health?x=1", Sec_Fetch_Site="cross-site")
    assert said.status == 200
    assert 'http-equiv="refresh" content="0; url=/health?x=1"' in said.body.decode()


def test_errors_are_pages_for_people_and_documents_for_programs(site: Site) -> None:
    site.log_in(READ)
    for path, status in (("/nowhere", 404), ("/?since=tomorrow", 422), ("/?since=2026-02-02&until=2026-01-01", 422)):
        said = site.call("GET", path)
        assert (said.status, said.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "<h1>" in said.body.decode()
    assert site.call("GET", "/v1/events").json["status"] == 401
    assert site.call("GET", "/nowhere", Accept="application/json").json["status"] == 404


def test_a_database_that_is_down_is_said_on_a_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise StoreDown("gone")

    site.log_in(READ)
    monkeypatch.setattr(site.service.store, "counts", down)
    said = site.call("GET", "/health")
    assert (said.status, said.headers["retry-after"]) == (503, "5")
    assert "Not now" in said.body.decode()


def test_times_are_shown_in_the_zone_that_was_chosen(site: Site) -> None:
    site.log_in(READ)
    site.health.expect({"bounces": 60.0})
    site.health.polled("bounces", datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert "1 Jul 2026, 23:30" in site.call("GET", "/health").body.decode()

    assert site.call("POST", "/zone", {"csrf": site.csrf(), "zone": "Europe/Nowhere"}).status == 422
    assert site.call("POST", "/zone", {"csrf": site.csrf(), "zone": "Europe/Berlin"}).status == 303
    page = site.call("GET", "/health").body.decode()
    assert "2 Jul 2026, 01:30" in page
    assert 'datetime="2026-07-01T23:30:00Z"' in page


def test_without_a_choice_times_are_in_the_zone_of_reports(site: Site) -> None:
    site.desk = replace(site.desk, zone="Asia/Kolkata")
    site.log_in(READ)
    site.health.expect({"bounces": 60.0})
    site.health.polled("bounces", datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert "2 Jul 2026, 05:00" in site.call("GET", "/health").body.decode()


def test_static_files_may_be_kept_and_nothing_else_is_read_by_that_way(site: Site) -> None:
    said = site.call("GET", "/static/app.css")
    assert (said.status, said.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in said.headers["cache-control"]
    for path in ("/static/", "/static/..%2fframe.py", "/static/%2e%2e/frame.py", "/static/app.css%00"):
        assert site.call("GET", path).status == 404


def _age(site: Site, began: timedelta, seen: timedelta) -> None:
    """Put the sessions back in time."""
    now = datetime.now(UTC)
    with site.service.store._write() as connection:
        connection.execute(update(page_session).values(began_at=now - began, seen_at=now - seen))
