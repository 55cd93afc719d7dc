"""What all commands share: settings and context, and one line instead of a traceback for what the world does."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa
from alembic.util.exc import CommandError

from core.errors import said_of
from core.settings import Settings, SettingsError, load_settings
from core.telephony import TelephonyError
from routing.clocks.rules import NotPossible
from routing.context import Context, build_context
from routing.policies import NoPolicy

_NO_TABLE = {"UndefinedTable", "UndefinedColumn"}


class Commands(click.Group):
    """A group whose commands end with one line where the database, a folder or a setting is at fault."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (SettingsError, NoPolicy, NotPossible, TelephonyError) as error:
            raise click.ClickException(str(error)) from None
        except sa.exc.DBAPIError as error:
            raise click.ClickException(_database_problem(error)) from None
        except sa.exc.SQLAlchemyError as error:
            raise click.ClickException(f"the database cannot be used: {said_of(error)}") from None
        except CommandError as error:
            words = "the database was made by another release than this one; install the newer of the two"
            raise click.ClickException(f"{words} ({error})") from None
        except BrokenPipeError:
            raise  # click ends quietly when a pager is closed
        except OSError as error:
            place = error.filename or "a file"
            raise click.ClickException(f"{place}: {error.strerror or error}") from None


class DefaultGroup(Commands):
    """A group whose subcommand ``default`` may be left out: ``nightbell case 1001``."""

    def __init__(self, *args: Any, default: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.no_args_is_help = False
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the default in front of arguments that name no subcommand."""
        if args[:1] != ["--help"] and not (args and args[0] in self.commands):
            args = [self._default, *args]
        return super().parse_args(ctx, args)


def settings() -> Settings:
    """The settings; one line names each that is wrong."""
    found = load_settings()
    try:
        sa.make_url(found.database_url)
    except (sa.exc.ArgumentError, ValueError):
        # Not repeated here: it may have a password.
        expected = Settings.model_fields["database_url"].description
        raise SettingsError(f"DATABASE_URL is wrong (not an address); expected: {expected}") from None
    return found


def open_context() -> Context:
    """A context of the environment's settings; its connections are given back when the command ends."""
    context = build_context(settings())
    click.get_current_context().call_on_close(context.database.close)
    return context


def _database_problem(error: sa.exc.DBAPIError) -> str:
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
