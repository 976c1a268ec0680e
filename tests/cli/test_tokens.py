"""`bounced tokens`, as an operator types it."""

import json
import re

from tests.cli.conftest import Run


def test_made_listed_revoked(bounced: Run) -> None:
    """The secret is printed once, alone; the listing never has it."""
    bounced("db", "upgrade")
    made = bounced("tokens", "create", "shop", "--scope", "check", "--scope", "write")
    assert made.returncode == 0
    assert re.fullmatch(r"bounced_[a-z2-7]{8}_[a-z2-7]{52}\n", made.stdout)

    listed = bounced("tokens", "list", "--format", "json")
    (row,) = json.loads(listed.stdout)
    assert (row["name"], row["scopes"], row["last_used_at"]) == ("shop", ["check", "write"], None)
    assert made.stdout.strip() not in listed.stdout
    assert made.stdout.split("_")[2].strip() not in listed.stdout

    assert bounced("tokens", "revoke", "shop").returncode == 0
    assert json.loads(bounced("tokens", "list", "--format", "json").stdout) == []
    assert len(json.loads(bounced("tokens", "list", "--revoked", "--format", "json").stdout)) == 1


def test_what_is_wrong_is_said(bounced: Run) -> None:
    bounced("db", "upgrade")
    assert bounced("tokens", "create", "shop", "--scope", "chek").returncode == 2
    assert bounced("tokens", "create", "my shop", "--scope", "check").returncode == 2
    assert bounced("tokens", "create", "shop").returncode == 2
    assert bounced("tokens", "revoke", "shop").returncode == 1

    assert bounced("tokens", "create", "shop", "--scope", "check").returncode == 0
    twice = bounced("tokens", "create", "shop", "--scope", "check")
    assert twice.returncode == 1
    assert not twice.stdout
    assert "already" in twice.stderr
