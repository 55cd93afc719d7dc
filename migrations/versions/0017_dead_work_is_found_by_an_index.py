"""dead work is found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    op.create_index("ix_due_dead", "due", ["due_at"], postgresql_where=_DEAD, sqlite_where=_DEAD)


def downgrade() -> None:
    op.drop_index("ix_due_dead", table_name="due")
