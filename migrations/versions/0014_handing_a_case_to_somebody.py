"""handing a case to somebody by name; finding pages that have joined others"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table('pages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('asked', sa.String(length=64), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_pages_asked_people'), 'people', ['asked'], ['key'])
    where = sa.text("state = 'joined'")
    op.create_index('ix_pages_joined', 'pages', ['lead_id'], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_index('ix_pages_joined', table_name='pages')
    with op.batch_alter_table('pages', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_pages_asked_people'), type_='foreignkey')
        batch_op.drop_column('asked')
