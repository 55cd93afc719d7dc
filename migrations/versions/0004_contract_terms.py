"""what a contract holds, and why a policy was applied"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table('contracts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('calendar', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('monthly_hours', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('checks', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('cloud_systems', sa.JSON(), nullable=False, server_default='{}'))
    with op.batch_alter_table('policy_versions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('note', sa.String(length=200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('policy_versions', schema=None) as batch_op:
        batch_op.drop_column('note')
    with op.batch_alter_table('contracts', schema=None) as batch_op:
        batch_op.drop_column('cloud_systems')
        batch_op.drop_column('checks')
        batch_op.drop_column('monthly_hours')
        batch_op.drop_column('calendar')
