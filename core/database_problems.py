"""What is wrong with a database, in one line that says what to do and repeats no row."""

from __future__ import annotations

import sqlalchemy as sa

from core.errors import said_of

_NO_TABLE = {"UndefinedTable", "UndefinedColumn"}


def problem_of(error: BaseException) -> str:
    """The line for an error that came up while the database was used."""
    if isinstance(error, sa.exc.DBAPIError):
        return _refused(error)
    return f"the database cannot be used: {said_of(error)}"


def _refused(error: sa.exc.DBAPIError) -> str:
    cause = error.orig
    text = " ".join(str(cause).split())
    if type(cause).__name__ in _NO_TABLE or text.startswith(("no such table", "no such column")):
        return "the database's tables are not there, or not up to date; do first: nightbell migrate"
    if "has no column" in text:
        return "the database's tables are not up to date; do first: nightbell migrate"
    if text.startswith("unable to open database file"):
        return "the database file cannot be opened; is DATABASE_URL right? If it is new: nightbell migrate"
    if isinstance(error, sa.exc.OperationalError):
        reason = text if text.startswith(("connection", "database is locked", "attempt")) else said_of(error)
        return f"the database cannot be reached; check DATABASE_URL: {reason[:200]}"
    return f"the database refused it: {said_of(error)}"
