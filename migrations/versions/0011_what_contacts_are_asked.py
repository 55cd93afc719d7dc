"""What contacts are asked by mail: about charges, or whether it was they who wrote

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("consent_requests") as batch_op:
        batch_op.add_column(sa.Column("about", sa.String(length=10), nullable=False, server_default="charges"))


def downgrade() -> None:
    with op.batch_alter_table("consent_requests") as batch_op:
        batch_op.drop_column("about")
