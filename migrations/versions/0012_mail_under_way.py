"""mail under way: found at once, however much has been sent"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_UNDER_WAY = sa.text("state = 'waiting' OR state = 'sending'")


def upgrade() -> None:
    with op.batch_alter_table('outbound_mails', schema=None) as batch_op:
        batch_op.create_index(
            'ix_outbound_mails_under_way', ['created_at'], unique=False, postgresql_where=_UNDER_WAY,
            sqlite_where=_UNDER_WAY,
        )
        batch_op.create_index('ix_outbound_mails_sent_at', ['sent_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('outbound_mails', schema=None) as batch_op:
        batch_op.drop_index('ix_outbound_mails_sent_at')
        batch_op.drop_index('ix_outbound_mails_under_way')
