"""What may be said of an error in logs and tables: enough to find it, and nothing that a customer told us.

And the one type of error for everything that we ask of somebody outside.
"""

from __future__ import annotations

import sqlalchemy as sa


class ChannelError(Exception):
    """Somebody outside (telephone company, mail server, chat service, a customer's system) did not do what we asked.

    ``permanent`` says that trying again is useless. The text names no address and no secret.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


def said_of(error: BaseException) -> str:
    """The error in words. A database's own text may repeat a row, with names and numbers, and is left out."""
    if isinstance(error, sa.exc.DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return f"{type(error).__name__} ({type(error.orig).__name__}{f', SQLSTATE {state}' if state else ''})"
    if isinstance(error, sa.exc.SQLAlchemyError):
        return type(error).__name__
    return f"{type(error).__name__}: {error}"
