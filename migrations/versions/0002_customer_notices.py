"""notices to customers, and what is known of their numbers"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table('customer_notices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('channel', sa.String(length=8), nullable=True),
    sa.Column('address', sa.String(length=320), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('provider_sid', sa.String(length=200), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_customer_notices_case_id_cases')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_customer_notices')),
    sa.UniqueConstraint('case_id', 'kind', name=op.f('uq_customer_notices_case_id_kind'))
    )
    with op.batch_alter_table('customer_notices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_customer_notices_address'), ['address'], unique=False)

    op.create_table('number_facts',
    sa.Column('number', sa.String(length=16), nullable=False),
    sa.Column('no_text_reason', sa.String(length=40), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_number_facts'))
    )


def downgrade() -> None:
    op.drop_table('number_facts')
    op.drop_table('customer_notices')
