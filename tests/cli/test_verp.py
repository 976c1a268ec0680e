"""Return paths from the command line and from Python: minted, and read again."""

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from bounced import Mail, Purpose, ReturnPaths, Tags
from bounced.config import Signing, parse
from bounced.errors import ConfigError
from tests.cli.conftest import Done, call, write_config

SIGNING = {
    "keys": [{"id": "k1", "secret": "correct horse battery staple"}],
    "domains": ["returns.example.net"],
    "campaigns": [{"campaign": "autumn-2026", "list": "newsletter", "categories": ["promo"]}],
}
ANN = "ann@customer.example"


@pytest.fixture
def signing_home(tmp_path: Path):
    write_config(tmp_path, correlation={"signing": SIGNING})
    with contextlib.chdir(tmp_path):
        yield tmp_path


def signed(*options: str) -> str:
    done = call("verp", "sign", ANN, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def read(spelt: str, *options: str) -> tuple[int, dict[str, object]]:
    done: Done = call("verp", "decode", spelt, "--format", "jsonl", *options)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.usefixtures("signing_home")
def test_what_is_signed_is_read_again() -> None:
    """The short token gives campaign, list and categories back, by the mark that the configuration explains."""
    path = signed("--campaign", "autumn-2026", "--list", "newsletter", "--category", "promo", "--message-id", "<1@a>")

    status, row = read(path, "--for", "Ann@Customer.Example")

    assert status == 0
    assert (row["shape"], row["purpose"], row["recipient"], row["flaw"]) == ("bounced", "bounce", ANN, None)
    assert (row["campaign"], row["list"], row["categories"]) == ("autumn-2026", "newsletter", ["promo"])
    assert len(path.partition("@")[0]) <= 64
    assert ANN not in path


@pytest.mark.usefixtures("signing_home")
def test_tags_that_would_be_lost_are_warned_of() -> None:
    """Those that fit, or that the configuration lists, are not."""
    lost = call("verp", "sign", ANN, "--campaign", "spring-2027", "--list", "newsletter of the town")
    listed = call("verp", "sign", ANN, "--campaign", "autumn-2026", "--list", "newsletter", "--category", "promo")

    assert (lost.returncode, listed.returncode) == (0, 0)
    assert "correlation.signing.campaigns" in lost.stderr
    assert "--record" in lost.stderr
    assert read(lost.stdout.strip())[1]["campaign"] is None
    assert (listed.stderr, call("verp", "sign", ANN).stderr) == ("", "")


@pytest.mark.usefixtures("signing_home")
@pytest.mark.parametrize("fmt", ["table", "csv"])
def test_every_format_has_the_headers(fmt: str) -> None:
    told = signed("--headers", "--format", fmt)

    assert {"X-Bounced-Ref", "CFBL-Feedback-ID", "List-Unsubscribe", "Message-ID"} <= set(re.split(r"[\s,]+", told))


@pytest.mark.usefixtures("signing_home")
def test_lower_case_and_upper_case_are_the_same_token() -> None:
    assert read(signed().upper())[0] == 0


@pytest.mark.usefixtures("signing_home")
def test_a_token_for_somebody_else_is_no() -> None:
    """And the line says why."""
    status, row = read(signed(), "--for", "bob@customer.example")

    assert (status, row["good"], row["flaw"]) == (1, False, "it was made for another recipient")


@pytest.mark.usefixtures("signing_home")
@pytest.mark.parametrize("purpose", ["bounce", "unsub", "fbl"])
def test_a_purpose_is_kept(purpose: str) -> None:
    assert read(signed("--purpose", purpose))[1]["purpose"] == purpose


@pytest.mark.usefixtures("signing_home")
def test_a_forged_token_is_no() -> None:
    path = signed()
    local, _, domain = path.partition("@")

    status, row = read(f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}")

    assert (status, row["flaw"]) == (1, "its signature is wrong")


@pytest.mark.usefixtures("signing_home")
def test_the_headers_name_recipient_and_tags_under_seal() -> None:
    lines = dict(
        line.split(": ", 1) for line in signed("--headers", "--campaign", "a very long name " * 5).splitlines()
    )

    status, row = read(lines["X-Bounced-Ref"])

    assert {"Return-Path", "X-Bounced-Ref", "CFBL-Feedback-ID", "List-Unsubscribe", "Message-ID"} <= lines.keys()
    assert (status, row["recipient"]) == (0, ANN)
    assert row["campaign"] == ("a very long name " * 5).strip()
    assert read(lines["List-Unsubscribe"])[1]["purpose"] == "unsub"


@pytest.mark.usefixtures("signing_home")
@pytest.mark.parametrize(
    ("spelt", "shape", "recipient"),
    [
        ("list+ann=customer.example@origin.example", "postfix", ANN),
        ("list-return-12-ann=customer.example@origin.example", "ezmlm", ANN),
        ("list-bounces+ann=customer.example@origin.example", "mailman", ANN),
        ("bounce+ann==a==customer.example==list@origin.example", "sympa", ANN),
        ("prvs=1234abcdef=sender@origin.example", "batv", None),
        ("SRS0=HHH=TT=origin.example=sender@forwarder.example", "srs", None),
    ],
)
def test_other_programs_shapes_are_known(spelt: str, shape: str, recipient: str | None) -> None:
    status, row = read(spelt)

    assert (status, row["shape"], row["recipient"]) == (0, shape, recipient)
    assert row["good"] is None
    told = call("verp", "decode", spelt).stdout
    assert "not verified" in told
    assert "good:" not in told


@pytest.mark.usefixtures("signing_home")
def test_a_plain_address_is_no_return_path_of_any_make() -> None:
    assert read(ANN)[0] == 1


@pytest.mark.usefixtures("home")
def test_without_a_key_nothing_is_signed() -> None:
    """It is the configuration's fault, and says which setting."""
    done = call("verp", "sign", ANN)

    assert done.returncode == 2
    assert "correlation.signing.keys" in done.stderr
    assert call("verp", "decode", "list+ann=customer.example@origin.example").returncode == 0


@pytest.mark.usefixtures("signing_home")
@pytest.mark.parametrize("wrong", [("sign", "nobody"), ("sign", ANN, "--headers", "--purpose", "fbl"), ("sign",)])
def test_wrong_usage_is_said(wrong: tuple[str, ...]) -> None:
    assert call("verp", *wrong).returncode == 2


def test_the_python_form_sets_the_headers_of_a_mail() -> None:
    """A Message-ID that the mail has is kept, and a header set twice is there once."""
    paths = ReturnPaths(Signing.model_validate(SIGNING))
    mail = EmailMessage()
    mail["Message-ID"] = "<order.1@shop.example>"

    paths.set_on(mail, Mail(ANN, Tags("autumn-2026")))
    stamp = paths.set_on(mail, Mail(ANN, Tags("autumn-2026")), "https://shop.example/leave?1")

    assert mail["Message-ID"] == "<order.1@shop.example>"
    assert mail.get_all("X-Bounced-Ref") == [stamp.headers["X-Bounced-Ref"]]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = paths.decode(stamp.return_path)
    assert found.ours is not None
    assert found.ours.good
    assert found.ours.speaks_for(ANN)


def test_the_python_form_forgets_no_expiry() -> None:
    """A token is good until its day is over, and no longer."""
    hour = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    then = ReturnPaths(Signing.model_validate(SIGNING), lambda: hour)
    later = ReturnPaths(Signing.model_validate(SIGNING), lambda: hour + timedelta(days=31))

    found = later.decode(then.sign(Mail(ANN), Purpose.BOUNCE)).ours

    assert found is not None
    assert (found.good, str(found.flaw)) == (False, "it has expired")


def test_the_python_form_refuses_to_work_without_a_key() -> None:
    with pytest.raises(ConfigError):
        ReturnPaths(parse({}).correlation.signing)


def test_what_the_readme_shows_runs(signing_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example, on a server that takes what it is given."""
    sent: list[tuple[str, list[str], str]] = []

    class Server:
        def __init__(self, host: str) -> None:
            assert host == "localhost"

        def send_message(self, mail: EmailMessage, from_addr: str, to_addrs: list[str]) -> None:
            sent.append((from_addr, to_addrs, mail["X-Bounced-Ref"]))

    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (example,) = re.findall(r"^```python\n(from bounced import Mail.*?)^```", readme, re.M | re.S)
    monkeypatch.setattr("smtplib.SMTP", Server)

    exec(example.replace("/etc/bounced/config.yaml", str(signing_home / "config.yaml")), {})

    ((path, _, reference),) = sent
    assert read(path, "--for", "erika@customer.example")[0] == 0
    assert read(reference)[1]["campaign"] == "autumn-2026"
