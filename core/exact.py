"""Exact amounts in a database: SQLite has no exact numbers, so they are kept as text on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa


class Exact(sa.types.TypeDecorator[Decimal]):
    """A ``Decimal``, kept as its digits: ``7.5`` comes back as ``Decimal("7.5")``. Do not order by it."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> str | None:
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: str | None, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value)
