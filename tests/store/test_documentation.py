"""docs/database.md says what is so."""

import re
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from bounced.config import Database
from bounced.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "database.md").read_text()


def test_its_statements_run(store: Store) -> None:
    """Those for both databases on both, the others on the one they name."""
    blocks = re.findall(r"```sql ?(\w*)\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 3
    with store._write() as connection:
        for only, block in blocks:
            if only in ("", connection.dialect.name):
                for statement in filter(str.strip, block.split(";")):
                    connection.execute(text(statement))
        connection.rollback()


def test_it_names_the_columns_of_the_view(store: Store) -> None:
    """All of them, in their order, under both names."""
    table = PAGE.split("## The view")[1].split("`suppressed_v1` is")[0]
    told = [
        name for first in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", first)
    ]
    with store._read() as connection:
        for view in ("suppressed", "suppressed_v1"):
            assert [column["name"] for column in inspect(connection).get_columns(view)] == told


@pytest.mark.parametrize("url", re.findall(r"`((?:sqlite|postgresql)://[^`]+)`", PAGE))
def test_its_urls_are_taken(url: str) -> None:
    """Nothing is connected yet."""
    Store.open(Database(url=url)).close()
