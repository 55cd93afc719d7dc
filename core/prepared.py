"""Statements for the one path that must be quick: compiled once, run on the driver's own connection.

What SQLAlchemy does for each execution costs a ringing phone more than the database itself. The tables, the
SQL and the types' conversions are still SQLAlchemy's; only its bookkeeping is left out. See
docs/decisions/0006-the-hot-path.md.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import replacement_traverse

_JSON = json.JSONEncoder()
_Convert = Callable[[Any], Any] | None


Read = Callable[..., Sequence[Any]]
"""Runs a prepared query with its parameters by name; the rows. Of a session, or of a quick transaction."""


class Prepared:
    """A statement with named parameters."""

    def __init__(self, statement: Any, defaults: Mapping[str, Any] | None = None) -> None:
        self.statement = statement
        self._defaults = dict(defaults or {})
        self._for: dict[str, Compiled] = {}

    def compiled(self, dialect: sa.Dialect) -> Compiled:
        """The statement for one kind of database."""
        found = self._for.get(dialect.name)
        if found is None:
            found = self._for[dialect.name] = Compiled(self.statement, self._defaults, dialect)
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


def bound(query: Prepared, replacement: Callable[[str], Any]) -> Any:
    """The query with something else in the place of each of its parameters."""

    def replaced(element: Any, **_: Any) -> Any:
        given = isinstance(element, sa.BindParameter) and element.required
        return replacement(element.key) if given else None

    return replacement_traverse(query.statement, {}, replaced)


def parameters_of(query: Prepared) -> list[tuple[str, Any]]:
    """The names and types of a query's parameters."""
    binds = query.statement.compile().binds
    return [(name, bind.type) for name, bind in binds.items() if bind.required]


def _encoded_or_null(value: Any) -> str | None:
    return None if value is None else _JSON.encode(value)


def _converter(kind: Any, dialect: sa.Dialect) -> _Convert:
    if isinstance(kind, sa.JSON):
        # Text on both databases; PostgreSQL's driver would wrap the value.
        return _encoded_or_null if kind.none_as_null else _JSON.encode
    convert: _Convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is not None and isinstance(getattr(kind, "impl_instance", kind), sa.DateTime):
        # One instant is written to several tables; it is put into words once.
        return lru_cache(maxsize=64)(convert)
    return convert


class Compiled:
    """SQL and conversions, ready for a driver."""

    def __init__(self, statement: Any, defaults: Mapping[str, Any], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._many: dict[int, str] = {}
        self._order: Sequence[str] | None = compiled.positiontup
        constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        converters = ((name, _converter(bind.type, dialect)) for name, bind in compiled.binds.items())
        self._into = {name: convert for name, convert in converters if convert is not None}
        self._fixed = self._converted({**constants, **defaults})
        columns = list(getattr(statement, "exported_columns", ()))
        self.row = namedtuple("Row", [column.key for column in columns]) if columns else None
        self._out_of: list[_Convert] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        given = self._fixed | self._converted(values)
        return given if self._order is None else [given[name] for name in self._order]

    def _converted(self, values: Mapping[str, Any]) -> dict[str, Any]:
        into = self._into
        return {name: into[name](value) if name in into else value for name, value in values.items()}

    def many(self, count: int) -> str:
        """The SQL of an insert of ``count`` rows, whose parameters follow each other."""
        sql = self._many.get(count)
        if sql is None:
            head, values, row = self.sql.partition(" VALUES ")
            sql = self._many[count] = head + values + ", ".join([row] * count)
        return sql

    def rows(self, raw: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows that came back."""
        assert self.row is not None
        out_of = self._out_of
        return [
            self.row(
                *[convert(value) if convert else value for convert, value in zip(out_of, row, strict=True)]
            )
            for row in raw
        ]
