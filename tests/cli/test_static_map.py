"""`bounced suppressions map`: what Postfix reads on the day when nobody can be asked."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run

POSTMAP = Path("/usr/sbin/postmap")


@pytest.fixture
def filled(bounced: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Three entries, of which one is a list's; a configuration for postmap."""
    (home / "main.cf").write_text("compatibility_level = 3.6\n")
    monkeypatch.setenv("MAIL_CONFIG", str(home))
    assert bounced("db", "upgrade").returncode == 0
    for arguments in (["dead@x.example"], ["left@x.example", "--scope", "news"], ['"an n"@x.example']):
        assert bounced("suppressions", "add", *arguments, "--why", "because").returncode == 0
    return bounced


def keys(file: Path) -> list[str]:
    return [line.partition("\t")[0] for line in file.read_text().splitlines()]


def test_the_text_holds_who_is_suppressed_in_the_scope(filled: Run, home: Path) -> None:
    """Each once, with the words that the socketmap would say; what no map can name is counted."""
    done = filled("suppressions", "map", "--format", "postmap", "--output", "map")
    assert (done.returncode, done.stdout) == (0, "map: 1 suppressed address(es)\n")
    assert done.stderr.startswith("1 left out")
    assert (home / "map").read_text().startswith("dead@x.example\tREJECT 5.7.1 on the suppression list since ")

    assert filled("suppressions", "add", "left@x.example", "--why", "everywhere").returncode == 0
    filled("suppressions", "map", "--format", "postmap", "--output", "map", "--scope", "news")
    assert keys(home / "map") == ["dead@x.example", "left@x.example"]

    filled("suppressions", "release", "dead@x.example", "--why", "back")
    filled("suppressions", "map", "--format", "postmap", "--output", "map")
    assert keys(home / "map") == ["left@x.example"]
    assert list(home.glob(".map*")) == []


@pytest.mark.parametrize(("fmt", "made"), [("hash", "map.db"), ("cdb", "map.cdb"), ("lmdb", "map.lmdb")])
def test_postfix_reads_what_its_own_postmap_made(filled: Run, home: Path, fmt: str, made: str) -> None:
    if not POSTMAP.exists():
        pytest.skip("Postfix is not installed (make servers)")
    known = subprocess.run(["/usr/sbin/postconf", "-m"], capture_output=True, text=True, check=False).stdout.split()
    if fmt not in known:
        pytest.skip(f"this Postfix knows no {fmt}")
    done = filled("suppressions", "map", "--format", fmt, "--output", "map")
    assert done.returncode == 0, done.stderr
    assert (home / made).stat().st_mode & 0o777 == 0o644

    def asked(key: str) -> str:
        command = [POSTMAP, "-q", key, f"{fmt}:{home}/map"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert asked("dead@x.example").startswith("REJECT 5.7.1 on the suppression list since ")
    assert asked("well@x.example") == ""


def test_what_cannot_be_written_leaves_the_old_map_alone(
    filled: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A postmap that fails, or none at all."""
    filled("suppressions", "map", "--format", "postmap", "--output", "map")
    before = (home / "map").read_bytes()
    filled("suppressions", "add", "more@x.example", "--why", "because")
    monkeypatch.setenv("MAIL_CONFIG", str(home / "nowhere"))

    done = filled("suppressions", "map", "--format", "cdb", "--output", "map")

    assert done.returncode == 1
    assert "postmap" in done.stderr
    assert (home / "map").read_bytes() == before
    assert filled("suppressions", "map", "--format", "postmap", "--output", "nowhere/map").returncode == 1
