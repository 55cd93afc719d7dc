"""pages that everyone must acknowledge"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table('acknowledgements',
    sa.Column('page_id', sa.Integer(), nullable=False),
    sa.Column('person_key', sa.String(length=64), nullable=False),
    sa.Column('required_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('passed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['page_id'], ['pages.id'], name=op.f('fk_acknowledgements_page_id_pages')),
    sa.ForeignKeyConstraint(['person_key'], ['people.key'], name=op.f('fk_acknowledgements_person_key_people')),
    sa.PrimaryKeyConstraint('page_id', 'person_key', name=op.f('pk_acknowledgements'))
    )


def downgrade() -> None:
    op.drop_table('acknowledgements')
