"""mail out: the outbox, addresses that take no mail, consents asked for by mail"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ONCE = sa.text("kind = 'receipt' OR kind = 'accepted'")


def upgrade() -> None:
    op.create_table('address_facts',
    sa.Column('address', sa.String(length=320), nullable=False),
    sa.Column('no_mail_reason', sa.String(length=80), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_address_facts'))
    )
    op.create_table('outbound_mails',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('person', sa.String(length=64), nullable=True),
    sa.Column('to_address', sa.String(length=320), nullable=False),
    sa.Column('copies', sa.JSON(), nullable=False),
    sa.Column('remaining', sa.JSON(), nullable=False),
    sa.Column('failures', sa.JSON(), nullable=False),
    sa.Column('envelope_from', sa.String(length=400), nullable=False),
    sa.Column('rfc_message_id', sa.String(length=500), nullable=False),
    sa.Column('topic', sa.String(length=200), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('alarmed', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=300), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_outbound_mails_case_id_cases')),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_outbound_mails_message_id_messages')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbound_mails')),
    sa.UniqueConstraint('rfc_message_id', name=op.f('uq_outbound_mails_rfc_message_id'))
    )
    with op.batch_alter_table('outbound_mails', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outbound_mails_case_id'), ['case_id'], unique=False)
        batch_op.create_index('ix_outbound_mails_to_address', ['to_address', 'created_at'], unique=False)
        batch_op.create_index(
            'uq_outbound_mails_once', ['case_id', 'kind'], unique=True, postgresql_where=_ONCE, sqlite_where=_ONCE
        )
    op.create_table('consent_requests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(length=320), nullable=False),
    sa.Column('nonce', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accepted_via', sa.String(length=10), nullable=True),
    sa.Column('hinted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_consent_requests_case_id_cases')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent_requests'))
    )
    with op.batch_alter_table('consent_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_consent_requests_case_id'), ['case_id'], unique=False)


def downgrade() -> None:
    op.drop_table('consent_requests')
    op.drop_table('outbound_mails')
    op.drop_table('address_facts')
