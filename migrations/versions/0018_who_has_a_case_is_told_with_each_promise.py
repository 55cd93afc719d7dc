"""who has a case is told with each promise, and not only with the first"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_ONCE = sa.text("kind = 'receipt' OR kind = 'accepted'")


def upgrade() -> None:
    with op.batch_alter_table("outbound_mails", recreate="never") as batch_op:
        batch_op.add_column(sa.Column("cycle", sa.Integer(), nullable=False, server_default="1"))
        batch_op.drop_index("uq_outbound_mails_once")
        batch_op.create_index(
            "uq_outbound_mails_once", ["case_id", "kind", "cycle"], unique=True, postgresql_where=_ONCE,
            sqlite_where=_ONCE,
        )


def downgrade() -> None:
    # What was told of later promises stays, under a kind that may be there more than once.
    op.execute("UPDATE outbound_mails SET kind = 'reopened' WHERE cycle > 1 AND kind = 'accepted'")
    with op.batch_alter_table("outbound_mails", recreate="never") as batch_op:
        batch_op.drop_index("uq_outbound_mails_once")
        batch_op.drop_column("cycle")
        batch_op.create_index(
            "uq_outbound_mails_once", ["case_id", "kind"], unique=True, postgresql_where=_ONCE, sqlite_where=_ONCE
        )
