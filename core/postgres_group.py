"""A group on PostgreSQL: one statement for all of it, and so one round trip and one commit.

``WITH found AS (SELECT ...), w0 AS (INSERT ... SELECT ...), ... SELECT ... FROM found`` is atomic by itself. The rows
come as JSON, so that the statement is the same for any number of them, and prepared once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from core.prepared import Compiled, Prepared, bound, parameters_of
from core.quick import Job, by_statement

_Shape = tuple[tuple[Prepared, ...], tuple[Prepared, ...]]


class PostgresGroup:
    """Writes groups on a connection that commits by itself."""

    at_once = 2  # while the database works on one group, the next is made ready
    gather_s = 0.002  # about as long as one round trip, which it may save

    def __init__(self, dialect: sa.Dialect) -> None:
        self._dialect = dialect
        self._statements: dict[_Shape, Compiled] = {}

    def write(self, connection: Any, jobs: Sequence[Job]) -> None:
        """In one transaction: ask what the jobs presume, and write the rows of those that ``hold``."""
        asked = by_statement([(number, job.presumed) for number, job in enumerate(jobs)])
        rows = by_statement([(number, job.writes) for number, job in enumerate(jobs)])
        shape = tuple(asked), tuple(rows)
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._statements[shape] = Compiled(_together(*shape), {}, self._dialect)
        given = {
            f"{prefix}{place}": json.dumps([{"job": job, **values} for job, values in many], default=str)
            for prefix, kept in (("asked", asked), ("rows", rows))
            for place, many in enumerate(kept.values())
        }
        found = connection.execute(statement.sql, statement.parameters(given), prepare=True)
        for job in jobs:
            job.holds = True
        for (number,) in found:
            jobs[number].holds = False


def _together(queries: Sequence[Prepared], inserts: Sequence[Prepared]) -> sa.Select[Any]:
    """Insert the rows of the jobs for which no query finds anything; the numbers of the others."""
    looks = [_look(query, f"asked{place}") for place, query in enumerate(queries)]
    none = sa.select(sa.literal(0).label("job")).where(sa.false())
    found = sa.union_all(none, *looks).cte("found")
    written = [
        _insert(insert.statement.table, f"rows{place}", found).cte(f"w{place}")
        for place, insert in enumerate(inserts)
    ]
    return sa.select(found.c.job).add_cte(*written)


def _look(query: Prepared, name: str) -> sa.Select[Any]:
    asked = _recordset(name, [sa.column(each, _in_json(kind)) for each, kind in parameters_of(query)])
    return sa.select(asked.c.job).where(bound(query, lambda each: asked.c[each]).exists())


def _insert(table: sa.Table, name: str, found: sa.CTE) -> sa.Insert:
    columns = [column for column in table.columns if column is not table.autoincrement_column]
    rows = _recordset(name, [sa.column(column.name, _in_json(column.type)) for column in columns])
    values = [
        sa.cast(rows.c[column.name], column.type) if isinstance(column.type, sa.JSON) else rows.c[column.name]
        for column in columns
    ]
    wanted = sa.select(*values).where(rows.c.job.not_in(sa.select(found.c.job)))
    return table.insert().from_select(columns, wanted)


def _in_json(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    # What is JSON itself comes as text: so it is kept as it is, with characters that no text can hold even.
    return sa.Text() if isinstance(kind, sa.String | sa.JSON) else kind


def _recordset(name: str, columns: Sequence[sa.ColumnClause[Any]]) -> sa.TableValuedAlias:
    given = sa.cast(sa.bindparam(name, type_=sa.Text()), sa.JSON)
    rows = sa.func.json_to_recordset(given).table_valued(sa.column("job", sa.Integer()), *columns)
    return rows.render_derived(name=name, with_types=True)
