"""What may be said of an error in logs and tables: enough to find it, and nothing that a customer told us."""

from __future__ import annotations

import sqlalchemy as sa


def said_of(error: BaseException) -> str:
    """The error in words. A database's own text may repeat a row, with names and numbers, and is left out."""
    if isinstance(error, sa.exc.DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return f"{type(error).__name__} ({type(error.orig).__name__}{f', SQLSTATE {state}' if state else ''})"
    if isinstance(error, sa.exc.SQLAlchemyError):
        return type(error).__name__
    return f"{type(error).__name__}: {error}"
