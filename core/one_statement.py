"""A quick transaction on PostgreSQL: all of its writes are one statement, and so one round trip and one commit.

``WITH w0 AS (INSERT ...), w1 AS (INSERT ...) INSERT ...`` is atomic by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from core.prepared import Compiled
from core.quick import QuickTransaction, Readers, Write, translated


class OneStatement:
    """Quick transactions on PostgreSQL, on connections that commit by themselves."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._readers = Readers(engine)
        self._joined: dict[tuple[Compiled, ...], str] = {}

    @contextmanager
    def transaction(self) -> Iterator[QuickTransaction]:
        """Read, then write all or nothing. The driver's errors come as SQLAlchemy's."""
        pooled = self._readers.connection()
        try:
            connection = pooled.driver_connection
            transaction = QuickTransaction(self._engine.dialect, connection)
            yield transaction
            if transaction.writes:
                assert connection is not None
                connection.execute(*self._together(transaction.writes), prepare=True)
        except self._errors as error:
            raise translated(error, pooled, self._engine.dialect) from error

    def close(self) -> None:
        """Give the connections back."""
        self._readers.close()

    def _together(self, writes: list[Write]) -> tuple[str, dict[str, object]]:
        statements = tuple(statement for statement, _ in writes)
        sql = self._joined.get(statements)
        if sql is None:
            sql = self._joined[statements] = _join([statement.sql for statement in statements])
        parameters = {
            f"p{n}_{name}": value for n, (_, given) in enumerate(writes) for name, value in given.items()
        }
        return sql, parameters


def _join(statements: list[str]) -> str:
    *first, last = (
        re.sub(r"%\((\w+)\)s", rf"%(p{number}_\1)s", sql) for number, sql in enumerate(statements)
    )
    parts = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(first))
    return f"WITH {parts} {last}" if parts else last
