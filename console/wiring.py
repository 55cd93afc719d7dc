"""What all commands share: settings and context, and one line instead of a traceback for what the world does."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa
from alembic.util.exc import CommandError

from core.database_problems import problem_of
from core.settings import SettingsError, load_settings
from core.start import in_words
from core.telephony import TelephonyError
from routing.clocks.rules import NotPossible
from routing.context import Context, build_context
from routing.policies import NoPolicy


class Commands(click.Group):
    """A group whose commands end with one line where the database, a folder or a setting is at fault."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (SettingsError, NoPolicy, NotPossible, TelephonyError) as error:
            raise click.ClickException(str(error)) from None
        except sa.exc.SQLAlchemyError as error:
            raise click.ClickException(problem_of(error)) from None
        except CommandError as error:
            words = "the database was made by another release than this one; install the newer of the two"
            raise click.ClickException(f"{words} ({error})") from None
        except BrokenPipeError:
            raise  # click ends quietly when a pager is closed
        except OSError as error:
            raise click.ClickException(in_words(error)) from None


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


def open_context() -> Context:
    """A context of the environment's settings; its connections are given back when the command ends."""
    context = build_context(load_settings())
    click.get_current_context().call_on_close(context.database.close)
    return context
