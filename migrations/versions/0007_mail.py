"""mail: as it came in, what it says on a case, and who may ask for what"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table('mail_bytes',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_mail_bytes'))
    )
    op.create_table('customer_domains',
    sa.Column('domain', sa.String(length=253), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_customer_domains_customer_id_customers')),
    sa.PrimaryKeyConstraint('domain', name=op.f('pk_customer_domains'))
    )
    with op.batch_alter_table('customer_domains', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_customer_domains_customer_id'), ['customer_id'], unique=False)
    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('may_request_priority_1', sa.Boolean(), nullable=False, server_default='0'))
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mailbox', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('from_address', sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column('needs_look', sa.Boolean(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('consent_asked_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mail_message_id', sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column('html', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('details', sa.JSON(), nullable=True))
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index(
            'ix_messages_mail_message_id', ['mail_message_id'], unique=False,
            postgresql_where=sa.text('mail_message_id IS NOT NULL'),
            sqlite_where=sa.text('mail_message_id IS NOT NULL'),
        )
    op.create_table('inbound_mails',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mailbox', sa.String(length=40), nullable=True),
    sa.Column('recipient', sa.String(length=400), nullable=False),
    sa.Column('addressed', sa.JSON(), nullable=False),
    sa.Column('envelope_from', sa.String(length=1000), nullable=True),
    sa.Column('via', sa.String(length=8), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('dedupe_key', sa.String(length=80), nullable=False),
    sa.Column('message_id', sa.String(length=500), nullable=True),
    sa.Column('sender', sa.String(length=400), nullable=True),
    sa.Column('topic', sa.String(length=64), nullable=True),
    sa.Column('authentication', sa.JSON(), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=True),
    sa.Column('message_row', sa.Integer(), nullable=True),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=500), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_inbound_mails_case_id_cases')),
    sa.ForeignKeyConstraint(['message_row'], ['messages.id'], name=op.f('fk_inbound_mails_message_row_messages')),
    sa.ForeignKeyConstraint(['sha256'], ['mail_bytes.sha256'], name=op.f('fk_inbound_mails_sha256_mail_bytes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbound_mails')),
    sa.UniqueConstraint('dedupe_key', 'recipient', name=op.f('uq_inbound_mails_dedupe_key_recipient'))
    )
    with op.batch_alter_table('inbound_mails', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inbound_mails_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_inbound_mails_message_id'), ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_inbound_mails_message_row'), ['message_row'], unique=False)
        batch_op.create_index(batch_op.f('ix_inbound_mails_received_at'), ['received_at'], unique=False)
        batch_op.create_index('ix_inbound_mails_sender_topic', ['sender', 'topic'], unique=False)
        batch_op.create_index(batch_op.f('ix_inbound_mails_sha256'), ['sha256'], unique=False)


def downgrade() -> None:
    op.drop_table('inbound_mails')
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index('ix_messages_mail_message_id')
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_column('details')
        batch_op.drop_column('html')
        batch_op.drop_column('mail_message_id')
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.drop_column('consent_asked_at')
        batch_op.drop_column('needs_look')
        batch_op.drop_column('from_address')
        batch_op.drop_column('mailbox')
    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.drop_column('may_request_priority_1')
    op.drop_table('customer_domains')
    op.drop_table('mail_bytes')
