"""OAuth 2.0 logins at a real Dovecot whose tokens a local authorization server issues, checks and revokes."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bounced.errors import ConfigError, MailboxDown
from bounced.mailbox import open_mailbox
from tests.mailbox.conftest import REPORT, Desk
from tests.servers.dovecot import Dovecot
from tests.servers.tokens import TokenServer


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    """Start an authorization server."""
    with TokenServer(tmp_path_factory.mktemp("tokens")) as server:
        yield server


@pytest.fixture(scope="module")
def trusting(needs_dovecot: None, issuer: TokenServer) -> Iterator[Dovecot]:
    """Start a Dovecot that asks it of every token."""
    with Dovecot(introspection=f"{issuer.url}/introspect") as server:
        yield server


@pytest.fixture(autouse=True)
def afresh(issuer: TokenServer, trusting: Dovecot) -> None:
    """Forget what the last test did."""
    issuer.revoke()
    issuer.refuse, issuer.lifetime = "", 3600
    issuer.asked.clear()
    trusting.empty()
    trusting.deliver("bounces", REPORT)


@pytest.fixture
def microsoft(issuer: TokenServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Return the settings of an application in a tenant whose authority is our server."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(issuer.ca_file))
    return {
        "microsoft": {
            "tenant": "tenant",
            "client_id": "6f1c",
            "client_secret": "hush",
            "authority": issuer.secure_url,
            "scope": "https://outlook.office365.com/.default",
        }
    }


@pytest.fixture
def google(issuer: TokenServer, tmp_path: Path) -> dict[str, object]:
    """Return the settings of a service account whose token endpoint is our server."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "account.json"
    account = {
        "type": "service_account",
        "client_email": "bounced@project.example",
        "private_key": key.decode(),
        "private_key_id": "1",
        "token_uri": f"{issuer.url}/token",
    }
    file.write_text(json.dumps(account))
    return {"google": {"service_account_file": str(file), "subject": "bounces@example.net"}}


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_a_token_from_a_file_is_read_at_each_login(
    trusting: Dovecot, issuer: TokenServer, desk: Desk, tmp_path: Path, mechanism: str
) -> None:
    """Another program keeps it fresh: what was refused is good at the next poll."""
    file = tmp_path / "token"
    file.write_text("stale\n")
    oauth = {"mechanism": mechanism, "token": {"file": str(file)}}
    with closing(open_mailbox(trusting.settings(oauth=oauth))) as source:
        with pytest.raises(MailboxDown, match="login as bounces with an access token") as caught:
            desk.work_off(source)
        assert "stale" not in str(caught.value)
        file.write_text(issuer.issue() + "\n")
        assert len(desk.work_off(source)) == 1


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_a_token_for_somebody_else_is_refused(
    trusting: Dovecot, issuer: TokenServer, desk: Desk, mechanism: str
) -> None:
    """The user of the configuration is the one who is logged in, or nobody."""
    oauth = {"mechanism": mechanism, "token": issuer.issue()}
    issuer.valid = dict.fromkeys(issuer.valid, "somebody")
    with closing(open_mailbox(trusting.settings(oauth=oauth))) as source, pytest.raises(MailboxDown):
        desk.work_off(source)


def test_microsoft_tokens_are_cached_and_renewed(
    trusting: Dovecot, issuer: TokenServer, desk: Desk, microsoft: dict[str, object]
) -> None:
    """One token serves several logins; one that the server refuses is replaced within the same poll."""
    with closing(open_mailbox(trusting.settings(oauth=microsoft))) as source:
        assert len(desk.work_off(source)) == 1
        source.close()
        desk.work_off(source)
        assert len(issuer.asked) == 1
        assert issuer.asked[0]["grant_type"] == "client_credentials"
        assert issuer.asked[0]["client_secret"] == "hush"

        source.close()
        issuer.revoke()
        desk.work_off(source)
        assert len(issuer.asked) == 2


def test_google_tokens_are_cached_and_renewed(
    trusting: Dovecot, issuer: TokenServer, desk: Desk, google: dict[str, object]
) -> None:
    """The same for a service account, which signs for the subject (RFC 7523)."""
    with closing(open_mailbox(trusting.settings(oauth=google))) as source:
        assert len(desk.work_off(source)) == 1
        source.close()
        desk.work_off(source)
        assert len(issuer.asked) == 1
        assert issuer.asked[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"

        source.close()
        issuer.revoke()
        desk.work_off(source)
        assert len(issuer.asked) == 2


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_tokens_about_to_expire_are_not_used(
    trusting: Dovecot, issuer: TokenServer, desk: Desk, kind: str, request: pytest.FixtureRequest
) -> None:
    """A minute before the end it is too late to begin a session with it."""
    issuer.lifetime = 60
    with closing(open_mailbox(trusting.settings(oauth=request.getfixturevalue(kind)))) as source:
        for expected in (1, 2):
            desk.work_off(source)
            source.close()
            assert len(issuer.asked) == expected


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_refusal_to_issue_is_told(
    trusting: Dovecot, issuer: TokenServer, desk: Desk, kind: str, request: pytest.FixtureRequest
) -> None:
    """In the words of the authority; nothing but MailboxDown comes out, and the next poll tries again."""
    issuer.refuse = "AADSTS7000215: Invalid client secret provided."
    with closing(open_mailbox(trusting.settings(oauth=request.getfixturevalue(kind)))) as source:
        with pytest.raises(MailboxDown, match="AADSTS7000215"):
            desk.work_off(source)
        issuer.refuse = ""
        assert len(desk.work_off(source)) == 1


def test_unreachable_authorities(trusting: Dovecot, desk: Desk, google: dict[str, object], tmp_path: Path) -> None:
    """A token endpoint that is away, an untrusted one, and a broken key file are MailboxDown too."""
    untrusted = {"tenant": "t", "client_id": "c", "client_secret": "s", "authority": "https://127.0.0.1:1"}
    (tmp_path / "broken.json").write_text("{}")
    broken = {"service_account_file": str(tmp_path / "broken.json"), "subject": "s"}
    for oauth, says in (({"microsoft": untrusted}, "no token from"), ({"google": broken}, "no token from Google")):
        with (
            closing(open_mailbox(trusting.settings(oauth=oauth, timeout=2))) as source,
            pytest.raises(MailboxDown, match=says),
        ):
            desk.work_off(source)


@pytest.mark.parametrize(("extra", "module"), [("microsoft", "msal"), ("google", "google.oauth2.service_account")])
def test_a_missing_extra_is_named(
    trusting: Dovecot, extra: str, module: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, with the command that installs it."""
    settings = trusting.settings(oauth=request.getfixturevalue(extra))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"bounced-daemon\[{extra}\]"):
        open_mailbox(settings)
