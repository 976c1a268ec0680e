"""Which step of the migrations a database stands at, and bringing it to the last one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from bounced.errors import ConfigError
from bounced.store.database import Database

if TYPE_CHECKING:  # at run time Alembic is imported where it is needed: a look-up starts the faster without it
    from alembic.config import Config

#: Not Alembic's usual name: an application that shares the database may use Alembic too.
VERSIONS: Final = "bounced_version"
_NEWER: Final = "database.url: the database was made by a newer version of bounced (step {}); update the program"


@dataclass(frozen=True, slots=True)
class Schema:
    """Where a database stands (None before the first step), and where this program wants it."""

    step: str | None
    newest: str
    known: frozenset[str]

    @property
    def problem(self) -> str | None:
        """What is wrong, in plain words; None if nothing is."""
        if self.step == self.newest:
            return None
        if self.step is not None and self.step not in self.known:
            return _NEWER.format(self.step)
        stands = "is empty" if self.step is None else f"stands at step {self.step} of {self.newest}"
        return f'database.url: the database {stands}: run "bounced db upgrade"'


class Migrations(Database):
    """Makes and migrates the tables."""

    def upgrade(self) -> None:
        """Bring the tables to the newest step: all steps that are missing, or none.

        A second daemon that starts at the same moment waits. Raises ConfigError where a newer program was
        here before, StoreDown where the database cannot be reached.
        """
        from alembic import command

        self._may_create = True
        try:
            with self._write(alone=True) as connection:
                if problem := encoding_problem(connection):
                    raise ConfigError([problem])
                schema = schema_of(connection)
                if schema.step is not None and schema.step not in schema.known:
                    raise ConfigError([_NEWER.format(schema.step)])
                if schema.step != schema.newest:
                    command.upgrade(_config(connection), "head")
        finally:
            self._may_create = False


def encoding_problem(connection: Connection) -> str | None:
    """Return what is wrong with the encoding of a PostgreSQL database: mail comes in every script there is."""
    if connection.dialect.name != "postgresql":
        return None
    encoding = connection.scalar(text("SHOW server_encoding"))
    return None if encoding == "UTF8" else f"database.url: the database is encoded in {encoding}, want UTF8"


def schema_of(connection: Connection) -> Schema:
    """Return where the database stands."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config(connection))
    context = MigrationContext.configure(connection, opts={"version_table": VERSIONS})
    newest = scripts.get_current_head()
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return Schema(context.get_current_revision(), newest or "", known)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSIONS)
    return config
