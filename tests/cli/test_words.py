"""Options whose values can be wrong: said at once, and nothing is done."""

import pytest

from tests.cli.conftest import Run


def test_an_unknown_reason_is_no_filter(bounced: Run) -> None:
    done = bounced("rules", "list", "--reason", "mailbox_ful")

    assert done.returncode == 2
    assert "mailbox_full" in done.stderr
    assert bounced("rules", "list", "--reason", "mailbox_full").returncode == 0


@pytest.mark.parametrize("at", ["2099-01-01", "2099-01-01T12:00:00+02:00"])
def test_no_sign_of_life_comes_from_the_future(bounced: Run, at: str) -> None:
    done = bounced("evidence", "add", "a@b.example", "--kind", "login", "--at", at)

    assert done.returncode == 2
    assert "in the future" in done.stderr


def test_an_erasure_can_be_counted_first(polled: Run) -> None:
    done = polled("privacy", "erase", "erika@customer.example", "--why", "asked", "--dry-run")

    assert done.returncode == 0
    assert "event: 1" in done.stderr
    assert polled("check", "erika@customer.example").returncode == 0
