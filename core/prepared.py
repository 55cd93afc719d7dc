"""Statements for the one path that must be quick: compiled once, run on the driver's own connection.

What SQLAlchemy does for each execution costs a ringing phone more than the database itself. The tables, the
SQL and the types' conversions are still SQLAlchemy's; only its bookkeeping is left out. See
docs/decisions/0006-the-hot-path.md.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

_Convert = Callable[[Any], Any] | None


Read = Callable[..., Sequence[Any]]
"""Runs a prepared query with its parameters by name; the rows. Of a session, or of a quick transaction."""


class Prepared:
    """A statement with named parameters."""

    def __init__(self, statement: Any, defaults: Mapping[str, Any] | None = None) -> None:
        self.statement = statement
        self._defaults = dict(defaults or {})
        self._for: dict[str, _Compiled] = {}

    def compiled(self, dialect: sa.Dialect) -> _Compiled:
        """The statement for one kind of database."""
        found = self._for.get(dialect.name)
        if found is None:
            found = self._for[dialect.name] = _Compiled(self.statement, self._defaults, dialect)
        return found


def reads_of(session: Session) -> Read:
    """Prepared queries within a session."""
    return lambda prepared, **values: session.execute(prepared.statement, values).all()


def prepared_insert(model: Any) -> Prepared:
    """An insert of all columns of a model but its generated key; what is not given gets the model's default."""
    table: sa.Table = model.__table__
    generated = table.autoincrement_column
    columns = [column for column in table.columns if column is not generated]
    defaults = {
        column.name: column.default.arg if isinstance(column.default, sa.ColumnDefault) else None
        for column in columns
    }
    values = {column: sa.bindparam(column.name, type_=column.type) for column in columns}
    return Prepared(table.insert().values(values).inline(), defaults)


class _Compiled:
    """SQL and conversions, ready for a driver."""

    def __init__(self, statement: Any, defaults: Mapping[str, Any], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._defaults = defaults
        self._order: Sequence[str] | None = compiled.positiontup
        self._constants = {
            name: bind.value
            for name, bind in compiled.binds.items()
            if not bind.required and name not in defaults
        }
        self._into = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in compiled.binds.items()
        }
        columns = list(getattr(statement, "selected_columns", ()))
        self.row = namedtuple("Row", [column.key for column in columns]) if columns else None
        self._out_of: list[_Convert] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        given = {**self._constants, **self._defaults, **values}
        converted = {
            name: convert(given[name]) if convert else given[name] for name, convert in self._into.items()
        }
        return converted if self._order is None else tuple(converted[name] for name in self._order)

    def rows(self, raw: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows that came back."""
        assert self.row is not None
        return [
            self.row(*(convert(value) if convert else value for convert, value in pairs))
            for pairs in (zip(self._out_of, row, strict=True) for row in raw)
        ]


class QuickTransaction:
    """One write transaction on the driver's connection. Writes are kept back until the end and sent together."""

    def __init__(self, dialect: sa.Dialect, connection: Any) -> None:
        self._dialect = dialect
        self._connection = connection
        self._kept_back: list[tuple[str, Any]] = []

    def rows(self, statement: Prepared, **values: Any) -> list[Any]:
        """The rows of a query."""
        compiled = statement.compiled(self._dialect)
        cursor = self._connection.execute(compiled.sql, compiled.parameters(values))
        return compiled.rows(cursor.fetchall())

    def add(self, statement: Prepared, **values: Any) -> None:
        """Write at the end of the transaction; a violated constraint is raised there."""
        compiled = statement.compiled(self._dialect)
        self._kept_back.append((compiled.sql, compiled.parameters(values)))

    def _send(self) -> None:
        for sql, parameters in self._kept_back:
            self._connection.execute(sql, parameters)


@contextmanager
def quick_transaction(engine: sa.Engine) -> Iterator[QuickTransaction]:
    """A write transaction: committed at the end, rolled back on any exception.

    The driver's errors come as SQLAlchemy's, as they would from any other transaction.
    """
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection
    errors = engine.dialect.loaded_dbapi.Error
    sqlite = engine.dialect.name == "sqlite"
    try:
        if sqlite:
            driver.execute("BEGIN IMMEDIATE")
        transaction = QuickTransaction(engine.dialect, driver)
        yield transaction
        if sqlite:
            transaction._send()
            driver.execute("COMMIT")
        else:
            with driver.pipeline():  # the writes and the commit in one round trip
                transaction._send()
                driver.commit()
    except errors as error:
        lost = engine.dialect.is_disconnect(error, driver, None)
        if lost:
            pooled.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            None, None, error, errors, connection_invalidated=lost, dialect=engine.dialect
        ) from error
    finally:
        pooled.close()  # back to the pool, which rolls back what was not committed
