"""Bringing a database to the newest schema, once, whoever opens it first."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seedbed.errors import RegistryError
from seedbed.registry.database import Database
from seedbed.registry.schema import HEAD, VERSION_TABLE, metadata

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")


def bring_up_to_date(database: Database, to: str = HEAD) -> None:
    """Carry out the migrations that are missing. The one that came first does it, others wait and find it done.

    Raises RegistryError where the database is newer than this code, or another program's.
    """
    with database.read() as connection:
        if _revision(connection) == to:
            return
    from alembic import command  # takes some tenths of a second, and is needed the first time only
    from alembic.script import ScriptDirectory

    database.keep_a_log()
    with database.write() as connection:
        found = _revision(connection)
        if found == to:
            return
        config = alembic_config(connection)
        known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
        if found is not None and found not in known:
            raise RegistryError(
                f"the registry {database.name} has the schema {found}, and this Seedbed knows schemas up to {HEAD}: a "
                "newer Seedbed has opened it; install that one here, or name another with --registry"
            )
        if found is None:
            _check_is_empty(connection, database.name)
        command.upgrade(config, to)


def alembic_config(connection: sa.Connection) -> "Config":
    """What Alembic's commands take; they work inside of the connection's transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(sa.select(sa.text("version_num")).select_from(sa.text(VERSION_TABLE)))


def _check_is_empty(connection: sa.Connection, name: str) -> None:
    taken = sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))
    if taken:
        raise RegistryError(
            f"the database {name} has tables of another program ({', '.join(taken)}): give Seedbed one of its own"
        )
