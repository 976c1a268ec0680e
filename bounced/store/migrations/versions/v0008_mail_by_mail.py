"""What the listing of events is filtered by: domains, the sender's categories, and an index for each filter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0008"
down_revision = "0007"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")

metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s"})

sa.Table(
    "event_tag",
    metadata,
    sa.Column("tag", _WORDS, primary_key=True),
    sa.Column("at", _INSTANT, primary_key=True),
    sa.Column("event_id", _WORDS, primary_key=True),
    sqlite_with_rowid=False,
)

#: Column -> whether it may be null, and is then not in its index.
_FILTERS = {"category": True, "domain": True, "fault": False, "kind": False, "mailbox": False, "rule": False}

#: No more than 500 characters of a category are a tag: an index entry of PostgreSQL has its limits.
_SQLITE = (
    """UPDATE event SET domain = substr(address, length(rtrim(address, replace(address, '@', ''))) + 1)
    WHERE address IS NOT NULL""",
    """INSERT INTO event_tag (tag, at, event_id) SELECT DISTINCT substr(value, 1, 500), event.at, event.id
    FROM event, json_each(event.categories) WHERE event.categories <> '[]'""",
    """CREATE TRIGGER event_tagged AFTER INSERT ON event WHEN NEW.categories <> '[]'
    BEGIN INSERT INTO event_tag (tag, at, event_id)
      SELECT DISTINCT substr(value, 1, 500), NEW.at, NEW.id FROM json_each(NEW.categories); END""",
    """CREATE TRIGGER event_untagged AFTER DELETE ON event WHEN OLD.categories <> '[]'
    BEGIN DELETE FROM event_tag WHERE at = OLD.at AND event_id = OLD.id
      AND tag IN (SELECT substr(value, 1, 500) FROM json_each(OLD.categories)); END""",
)
_POSTGRESQL = (
    "UPDATE event SET domain = split_part(address, '@', -1) WHERE address IS NOT NULL",
    """INSERT INTO event_tag (tag, at, event_id) SELECT DISTINCT left(tag, 500), event.at, event.id
    FROM event, json_array_elements_text(event.categories::json) AS tag WHERE event.categories <> '[]'""",
    """CREATE FUNCTION event_tagged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO event_tag (tag, at, event_id) SELECT DISTINCT left(tag, 500), NEW.at, NEW.id
      FROM json_array_elements_text(NEW.categories::json) AS tag;
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER event_tagged AFTER INSERT ON event FOR EACH ROW WHEN (NEW.categories <> '[]')
    EXECUTE FUNCTION event_tagged()""",
    """CREATE FUNCTION event_untagged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM event_tag WHERE at = OLD.at AND event_id = OLD.id
      AND tag IN (SELECT left(each, 500) FROM json_array_elements_text(OLD.categories::json) AS each);
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER event_untagged AFTER DELETE ON event FOR EACH ROW WHEN (OLD.categories <> '[]')
    EXECUTE FUNCTION event_untagged()""",
)


def upgrade() -> None:
    """Make column and table, fill them, keep them filled; then the indexes."""
    connection = op.get_bind()
    op.add_column("event", sa.Column("domain", _WORDS))
    metadata.create_all(connection, checkfirst=False)
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.exec_driver_sql(statement)
    for name, nullable in _FILTERS.items():
        there = sa.text(f"{name} IS NOT NULL") if nullable else None
        op.create_index(f"ix_event_{name}_at", "event", [name, "at"], sqlite_where=there, postgresql_where=there)
