"""systemd/bounced.service: no key that systemd does not know, and little that the daemon may do."""

import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "systemd" / "bounced.service"

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_every_key_is_known(tmp_path: Path) -> None:
    """With a program that is there in place of ours."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/bounced/bin/bounced", sys.executable))

    done = analyze("verify", "--man=no", "--recursive-errors=no", str(unit))

    assert (done.returncode, done.stderr) == (0, "")


def test_its_exposure_is_small() -> None:
    """1.5 or less, on systemd's scale to 10."""
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=15", str(UNIT))

    assert done.returncode == 0, done.stdout


def test_it_is_the_contract_that_the_daemon_keeps() -> None:
    """Readiness, heartbeat and reload by signal; workers are ended by the daemon, never by systemd, mid-batch."""
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    service = unit["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 60
    assert service["ExecReload"].endswith("kill -HUP $MAINPID")
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > 60
    assert service["RestartPreventExitStatus"] == "2"
    assert (service["DynamicUser"], service["StateDirectory"]) == ("yes", "bounced")
    assert service["LoadCredential"].startswith("imap-password:")
