"""A group on SQLite: one look for what all of it presumes, and one insert a table for the rows of all of it.

The interpreter's lock is let go and fought for again at every statement; that costs more than the row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from core.prepared import Compiled, Prepared, bound
from core.quick import Job, by_statement


class SqliteGroup:
    """Writes groups on a connection whose transactions are begun and ended by hand."""

    at_once = 1
    gather_s = 0.002  # about as long as one commit, which it may save

    def __init__(self, dialect: sa.Dialect) -> None:
        self._dialect = dialect
        self._looks: dict[Prepared, Compiled] = {}

    def write(self, connection: Any, jobs: Sequence[Job]) -> None:
        """In one transaction: ask what the jobs presume, and write the rows of those that ``hold``."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._look(connection, jobs)
            rows = by_statement([(0, job.writes) for job in jobs if job.holds])
            for insert, many in rows.items():
                sql = insert.compiled(self._dialect).many(len(many))
                connection.execute(sql, [value for _, row in many for value in row])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _look(self, connection: Any, jobs: Sequence[Job]) -> None:
        asked = by_statement([(number, job.presumed) for number, job in enumerate(jobs)])
        for job in jobs:
            job.holds = True
        for query, many in asked.items():
            look = self._looks.get(query)
            if look is None:
                look = self._looks[query] = Compiled(_look(query), {}, self._dialect)
            parameters = look.parameters({"asked": json.dumps([values for _, values in many])})
            for (place,) in connection.execute(look.sql, parameters):
                jobs[many[place][0]].holds = False


def _look(query: Prepared) -> sa.Select[Any]:
    """Which of many sets of parameters, a JSON list of objects, the query finds something for."""
    asked = sa.func.json_each(sa.bindparam("asked")).table_valued("key", "value", name="asked")
    finds = bound(query, lambda name: sa.func.json_extract(asked.c.value, sa.literal_column(f"'$.{name}'")))
    return sa.select(asked.c.key).where(finds.exists())
