"""How a database finds what a query asks for: which tables it goes through whole, and which indexes it uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import Database


def plans_of(database: Database, act: Callable[[Session], object]) -> str:
    """The plans of the SELECT statements of ``act``, in lines.

    PostgreSQL goes through small tables whole, whatever there is: here it does so only where no index fits.
    """
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        seen.append((sql, parameters))

    with database.reading() as session:
        sa.event.listen(database.engine, "before_cursor_execute", note)
        try:
            act(session)
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", note)
        connection = session.connection()
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (COSTS OFF) "
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        lines = []
        for sql, parameters in seen:
            if sql.startswith("SELECT"):
                lines += [str(row[-1]) for row in connection.exec_driver_sql(explain + sql, parameters)]
        return "\n".join(lines)
