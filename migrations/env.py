"""Alembic's entry: migrates the database that it is handed, or the one of the settings."""

from alembic import context
from sqlalchemy import create_engine

# Each import brings its tables into the metadata.
import core.due
import core.heartbeat  # noqa: F401
import intake.phone.models  # noqa: F401
import routing.clocks.models
import routing.decisions
import routing.drills.models
import routing.paging.models
import routing.policies
import routing.rosters.models  # noqa: F401
import webhooks.receipts  # noqa: F401
from core.database import Base, UtcDateTime


def _plain_type(kind, item, _autogen):
    """Migrations speak of the database's types only: they must run when our own classes have changed."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _migrate(connection):
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=_plain_type,
    )
    with context.begin_transaction():
        context.run_migrations()


engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    _migrate(connection)
engine.dispose()
