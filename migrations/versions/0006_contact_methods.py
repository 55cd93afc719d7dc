"""contact methods"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('method', sa.String(length=40), server_default='', nullable=False))
        batch_op.add_column(sa.Column('number_of_try', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('planned_for', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('text', sa.Text(), nullable=True))
        batch_op.alter_column('to_number', new_column_name='address', existing_type=sa.String(length=16),
                              type_=sa.String(length=500), existing_nullable=False)
        batch_op.alter_column('provider_sid', existing_type=sa.String(length=34),
                              type_=sa.String(length=340), existing_nullable=True)
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.create_index('ix_attempts_address_sent_at', ['address', 'sent_at'], unique=False)

    op.create_table('hook_deliveries',
    sa.Column('hook', sa.String(length=40), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('hook', 'event_id', name=op.f('pk_hook_deliveries'))
    )


def downgrade() -> None:
    op.drop_table('hook_deliveries')
    # What only this release can send, and what no older one can hold.
    op.execute("DELETE FROM attempts WHERE channel NOT IN ('voice', 'sms')")
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.drop_index('ix_attempts_address_sent_at')
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.alter_column('provider_sid', existing_type=sa.String(length=340),
                              type_=sa.String(length=34), existing_nullable=True)
        batch_op.alter_column('address', new_column_name='to_number', existing_type=sa.String(length=500),
                              type_=sa.String(length=16), existing_nullable=False)
        batch_op.drop_column('text')
        batch_op.drop_column('planned_for')
        batch_op.drop_column('number_of_try')
        batch_op.drop_column('method')
