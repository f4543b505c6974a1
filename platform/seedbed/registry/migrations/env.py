"""What Alembic runs; `seedbed.registry.migrate` gives it a connection whose transaction is open."""

from alembic import context

from seedbed.registry.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
