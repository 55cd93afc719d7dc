"""quiet messages to one number are gathered into one"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_QUEUED = sa.text("state = 'queued'")
_TOLD = sa.text("told_with IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.add_column(sa.Column("told_with", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_attempts_told_with_attempts"), "attempts", ["told_with"], ["id"]
        )
        batch_op.create_index(
            "ix_attempts_queued", ["address", "id"], postgresql_where=_QUEUED, sqlite_where=_QUEUED
        )
        batch_op.create_index("ix_attempts_told_with", ["told_with"], postgresql_where=_TOLD, sqlite_where=_TOLD)


def downgrade() -> None:
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.drop_index("ix_attempts_told_with")
        batch_op.drop_index("ix_attempts_queued")
        batch_op.drop_constraint(op.f("fk_attempts_told_with_attempts"), type_="foreignkey")
        batch_op.drop_column("told_with")
