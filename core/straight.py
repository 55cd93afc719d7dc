"""Rows straight into the database, within a session and past its unit of work.

The unit of work finds out what has changed, sorts it, and asks for each column by itself: about ten times what the
statement costs. What is written here is in the database at once, so that nothing waits to be flushed before the next
question. See docs/decisions/0006-the-hot-path.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, make_transient_to_detached

from core.prepared import Compiled, Prepared
from core.quick import translated

T = TypeVar("T")


def straight(session: Session, prepared: Prepared, **values: Any) -> Any:
    """Run a prepared statement on the session's own connection; the driver's cursor.

    It is part of the session's transaction, and nothing is flushed for it. Errors come as SQLAlchemy's.
    """
    connection = session.connection()
    return _run(connection, prepared.compiled(connection.dialect), values)


def straight_rows(session: Session, prepared: Prepared, **values: Any) -> list[Any]:
    """The rows of a prepared query, or of a write that returns some; what waits to be flushed is not among them."""
    connection = session.connection()
    compiled = prepared.compiled(connection.dialect)
    return compiled.rows(_run(connection, compiled, values).fetchall())


def _run(connection: sa.Connection, compiled: Compiled, values: dict[str, Any]) -> Any:
    pooled = connection.connection
    driver: Any = pooled.driver_connection
    try:
        return driver.execute(compiled.sql, compiled.parameters(values))
    except connection.dialect.loaded_dbapi.Error as error:
        raise translated(error, pooled, connection.dialect) from error


def write(session: Session, model: type[T], **values: Any) -> T:
    """Insert a new row with these columns, as ``session.add`` and ``session.flush`` would; the row, with its key.

    What is not given is what the model's columns begin with. ``TypeError`` for a name that is no column.
    """
    insert = _insert_of(model)  # type: ignore[arg-type]
    for name, default in insert.defaults.items():
        if name not in values:
            values[name] = default()
    if len(values) != len(insert.defaults):
        raise TypeError(f"{model.__name__} has no columns {sorted(values.keys() - insert.defaults.keys())}")
    cursor = straight(session, insert.prepared, **values)
    if insert.key is not None:
        values[insert.key] = cursor.fetchone()[0]
    row: T = insert.manager.new_instance()  # its constructor would note each column as a change
    sa.inspect(row).dict.update(values)
    make_transient_to_detached(row)
    session.add(row)
    return row


class _Insert:
    """How rows of a model are written. ``defaults`` make what is not given; the database makes the ``key``."""

    def __init__(self, model: type[Any]) -> None:
        self.manager = sa.orm.class_mapper(model).class_manager
        table: sa.Table = model.__table__
        generated = table.autoincrement_column
        columns = [column for column in table.columns if column is not generated]
        self.key = generated.name if generated is not None else None
        self.defaults = {column.name: _default(column) for column in columns}
        insert = table.insert().values({each: sa.bindparam(each.name, type_=each.type) for each in columns})
        self.prepared = Prepared(insert.inline() if generated is None else insert.returning(generated))


def _default(column: sa.Column[Any]) -> Callable[[], Any]:
    default = column.default
    if default is None:
        return lambda: None
    if not isinstance(default, sa.ColumnDefault):
        raise TypeError(f"{column} has a default that only the database can make")
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


@lru_cache(maxsize=100)
def _insert_of(model: Any) -> _Insert:
    return _Insert(model)
