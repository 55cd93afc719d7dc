"""What the subcommands of ``nightbell`` share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import click

from core.settings import SettingsError, load_settings
from routing.clocks.rules import NotPossible
from routing.context import Context, build_context
from routing.policies import NoPolicy


def shell_context() -> Context:
    """The plumbing, from the environment's settings."""
    try:
        return build_context(load_settings())
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What cannot be done is said in one line, and nothing has been changed."""
    try:
        yield
    except (NotPossible, NoPolicy) as error:
        raise click.ClickException(str(error)) from None


class DefaultGroup(click.Group):
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
