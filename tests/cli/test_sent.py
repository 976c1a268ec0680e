"""Records of mails from the command line: one, many, and by signing."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import call, write_config

SIGNING = {"keys": [{"id": "k1", "secret": "correct horse battery staple"}], "domains": ["returns.example.net"]}
ANN = "ann@customer.example"


@pytest.fixture(autouse=True)
def recording_home(tmp_path: Path) -> Iterator[Path]:
    write_config(tmp_path, correlation={"signing": SIGNING})
    with contextlib.chdir(tmp_path):
        assert call("db", "upgrade").returncode == 0
        yield tmp_path


def status() -> dict[str, object]:
    (row,) = json.loads(call("sent", "status", "--format", "json").stdout)
    assert isinstance(row, dict)
    return row


def test_one_mail_is_recorded_once() -> None:
    """The same mail to the same recipient has the same id."""
    first = call("sent", "add", ANN, "--message-id", "<1@shop.example>", "--campaign", "autumn")
    again = call("sent", "add", ANN.upper(), "--message-id", "1@shop.example", "--campaign", "autumn")

    assert first.returncode == again.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert (status()["mails"], status()["campaigns"]) == (1, 1)


def test_lines_are_recorded_and_bad_ones_told() -> None:
    """The good ones are, whatever stands between them; exit status 1 says that some were not."""
    lines = [
        {"recipient": ANN, "message_id": "<1@shop.example>", "campaign": "autumn", "categories": ["promo"]},
        {"recipient": "nobody", "message_id": "<2@shop.example>"},
        {"recipient": ANN},
        {"recipient": ANN, "message_id": "<3@shop.example>", "campain": "typo"},
        {"recipient": ANN, "id": "env-4", "sent_at": "2026-11-20T10:00:00Z", "return_path": "b@returns.example.net"},
    ]
    text = "\n".join([*map(json.dumps, lines), "", "no JSON"])

    done = call("sent", "import", "-", stdin=text.encode())

    assert done.returncode == 1
    assert done.stdout == "2 mail(s) recorded, 4 line(s) not understood\n"
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["line 2", "line 3", "line 4", "line 7"]
    assert "campain" in done.stderr
    assert status()["oldest"] == "2026-11-20T10:00:00Z"


def test_a_file_is_recorded_whole(recording_home: Path) -> None:
    """More than one portion of it; twice is as good as once."""
    path = recording_home / "sent.jsonl"
    path.write_text("".join(f'{{"recipient": "u{n}@x.example", "id": "id-{n}"}}\n' for n in range(6_000)))

    assert call("sent", "import", str(path)).returncode == 0
    assert call("sent", "import", str(path)).stdout == "6000 mail(s) recorded\n"
    assert status()["mails"] == 6_000


@pytest.mark.parametrize("options", [(), ("--headers",), ("--purpose", "unsub")])
def test_a_signed_mail_is_recorded_and_named(options: tuple[str, ...]) -> None:
    done = call("verp", "sign", ANN, "--campaign", "autumn", "--record", "--format", "jsonl", *options)
    assert done.returncode == 0, done.stderr
    path = json.loads(done.stdout)["return_path"]

    (found,) = json.loads(call("verp", "decode", path, "--format", "json").stdout)

    assert found["good"]
    assert found["record"]
    assert status()["mails"] == 1


@pytest.mark.parametrize("wrong", [("add", "nobody", "--message-id", "<1@x>"), ("add", ANN, "--message-id", "1"),
                                   ("import", "nowhere.jsonl")])  # fmt: skip
def test_wrong_usage_is_said(wrong: tuple[str, ...]) -> None:
    assert call("sent", *wrong).returncode == 2


def test_a_csv_without_the_columns_of_counts_is_refused_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("date,sent\n2026-11-01,5\n")

    done = call("sent", "import", str(path))

    assert done.returncode == 2
    assert "day and sent" in " ".join(done.stderr.split())
