"""response cycles: the record of promises, with one cycle for each case that there is"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column('cases', sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table('response_cycles',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('service', sa.String(length=40), nullable=False),
    sa.Column('tier', sa.String(length=40), nullable=True),
    sa.Column('customer', sa.String(length=64), nullable=True),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('target', sa.String(length=40), nullable=False),
    sa.Column('cover', sa.String(length=16), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('responded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('response_kind', sa.String(length=20), nullable=True),
    sa.Column('responded_by', sa.String(length=64), nullable=True),
    sa.Column('said_how', sa.Text(), nullable=True),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('breached_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('excuse', sa.String(length=16), nullable=True),
    sa.Column('excused_by', sa.String(length=64), nullable=True),
    sa.Column('excused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('policy_version', sa.Integer(), nullable=False),
    sa.Column('calendar_fingerprint', sa.String(length=64), nullable=False),
    sa.Column('tz_version', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_response_cycles_case_id_cases')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_response_cycles')),
    sa.UniqueConstraint('case_id', 'number', name=op.f('uq_response_cycles_case_id_number'))
    )
    op.create_index('ix_response_cycles_month', 'response_cycles', ['started_at', 'service', 'tier', 'state', 'due_at'], unique=False)
    op.create_index('ix_response_cycles_breached', 'response_cycles', ['started_at'], unique=False, postgresql_where=sa.text('breached_at IS NOT NULL'), sqlite_where=sa.text('breached_at IS NOT NULL'))
    op.create_index('ix_response_cycles_running', 'response_cycles', ['due_at'], unique=False, postgresql_where=sa.text("state = 'running'"), sqlite_where=sa.text("state = 'running'"))
    op.get_bind().exec_driver_sql(_CYCLES)
    # The worker marks what is overdue by now, as it does with everything that comes due.
    op.get_bind().exec_driver_sql(_WORK.format(payload=_PAYLOAD[op.get_bind().dialect.name]))


# A case of before: its first decision says by which rules the promise was made, its last answer says who answered.
_CYCLES = """
    INSERT INTO response_cycles (case_id, number, state, service, tier, customer, priority, started_at, target, due_at,
        responded_at, response_kind, responded_by, said_at, breached_at,
        policy_version, calendar_fingerprint, tz_version)
    SELECT cases.id, 1,
        CASE WHEN cases.due_at IS NULL AND cases.responded_at IS NULL THEN 'unpromised'
             WHEN cases.due_at IS NULL THEN 'answered'
             WHEN cases.responded_at IS NULL THEN 'running'
             WHEN cases.responded_at <= cases.due_at THEN 'kept'
             ELSE 'late' END,
        cases.service, cases.tier,
        (SELECT key FROM customers WHERE customers.id = cases.customer_id), cases.priority, cases.contact_at, cases.target, cases.due_at,
        cases.responded_at, cases.response_kind,
        CASE WHEN cases.responded_at IS NOT NULL THEN
            (SELECT person FROM events WHERE events.case_id = cases.id AND events.kind = 'case.responded'
             ORDER BY events.id DESC LIMIT 1) END,
        cases.responded_at,
        CASE WHEN cases.responded_at > cases.due_at THEN cases.due_at END,
        COALESCE(decisions.policy_version, (SELECT MAX(version) FROM policy_versions), 0),
        COALESCE(decisions.calendar_fingerprint, ''), COALESCE(decisions.tz_version, '')
    FROM cases LEFT JOIN decisions
        ON decisions.id = (SELECT MIN(first.id) FROM decisions AS first WHERE first.case_id = cases.id)
"""
_WORK = """
    INSERT INTO due (kind, subject, due_at, payload, state, attempts)
    SELECT 'clock.breach', 'clock:' || case_id, due_at, {payload}, 'ready', 0
    FROM response_cycles WHERE state = 'running'
"""
_PAYLOAD = {
    'sqlite': """'{"cycle": ' || id || '}'""",
    'postgresql': """CAST('{"cycle": ' || id || '}' AS JSON)""",
}


def downgrade() -> None:
    op.execute("DELETE FROM due WHERE kind = 'clock.breach'")
    op.drop_index('ix_response_cycles_running', table_name='response_cycles', postgresql_where=sa.text("state = 'running'"), sqlite_where=sa.text("state = 'running'"))
    op.drop_index('ix_response_cycles_breached', table_name='response_cycles', postgresql_where=sa.text('breached_at IS NOT NULL'), sqlite_where=sa.text('breached_at IS NOT NULL'))
    op.drop_index('ix_response_cycles_month', table_name='response_cycles')
    op.drop_table('response_cycles')
    op.drop_column('cases', 'closed_at')
