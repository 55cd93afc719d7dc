"""bundles of pages"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table('pages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('lead_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('due_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('joined_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('open_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_pages_lead_id_pages'), 'pages', ['lead_id'], ['id'])
    for name, columns, where in (
        ('ix_pages_ringing', ['escalation'], "state = 'ringing'"),
        ('ix_pages_open_until', ['open_until'], 'open_until IS NOT NULL'),
        ('ix_pages_lead_id', ['lead_id', 'state'], 'lead_id IS NOT NULL'),
    ):
        op.create_index(name, 'pages', columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def downgrade() -> None:
    # An older release knows neither the states nor the bundles: what waits with another page rings for itself.
    op.execute("UPDATE pages SET state = 'ringing' WHERE state = 'joined'")
    op.execute("UPDATE pages SET state = 'cancelled' WHERE state = 'handed-on'")
    for name in ('ix_pages_lead_id', 'ix_pages_open_until', 'ix_pages_ringing'):
        op.drop_index(name, table_name='pages')
    with op.batch_alter_table('pages', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_pages_lead_id_pages'), type_='foreignkey')
        for name in ('open_until', 'joined_at', 'due_at', 'lead_id'):
            batch_op.drop_column(name)
