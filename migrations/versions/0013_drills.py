"""drills before shifts"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table('drills',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('schedule', sa.String(length=40), nullable=False),
    sa.Column('person_key', sa.String(length=64), nullable=False),
    sa.Column('shift_start', sa.DateTime(timezone=True), nullable=True),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('proved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('proved_by', sa.String(length=16), nullable=True),
    sa.ForeignKeyConstraint(['person_key'], ['people.key'], name=op.f('fk_drills_person_key_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drills')),
    sa.UniqueConstraint('schedule', 'person_key', 'shift_start', name=op.f('uq_drills_schedule_person_key_shift_start'))
    )
    with op.batch_alter_table('drills', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drills_person_key'), ['person_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_drills_begun_at'), ['begun_at'], unique=False)
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('drill_id', sa.Integer(), nullable=True))
        batch_op.alter_column('case_id', existing_type=sa.Integer(), nullable=True)
        batch_op.create_foreign_key(batch_op.f('fk_attempts_drill_id_drills'), 'drills', ['drill_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_attempts_drill_id'), ['drill_id'], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM attempts WHERE drill_id IS NOT NULL")
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attempts_drill_id'))
        batch_op.drop_constraint(batch_op.f('fk_attempts_drill_id_drills'), type_='foreignkey')
        batch_op.alter_column('case_id', existing_type=sa.Integer(), nullable=False)
        batch_op.drop_column('drill_id')
    op.drop_table('drills')
