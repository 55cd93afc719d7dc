"""The documents are true: every setting, command, route and decision in them exists, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from app import create_app
from console.commands import main
from console.timeline import SENTENCES
from core.settings import Settings, environment_name, load_settings
from routing.context import build_context
from routing.event_kinds import KINDS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _read(name: str) -> str:
    return (ROOT / name).read_text()


def test_it_documents_every_setting_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", _read("docs/settings.md"), re.MULTILINE)
    real = [(environment_name(name), field.description) for name, field in Settings.model_fields.items()]
    assert rows == real


def _commands(group: click.Group, prefix: str) -> set[str]:
    found: set[str] = set()
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= _commands(command, f"{prefix} {name}")
        else:
            found.add(f"{prefix} {name}")
    return found


def test_it_documents_every_command() -> None:
    text = _read("docs/operations.md")
    table = text[text.index("## The command") : text.index("## The addresses")]
    assert set(re.findall(r"`(nightbell [a-z -]+)`", table)) == _commands(main, "nightbell")


def test_it_documents_every_address(tmp_path: Path) -> None:
    settings = load_settings(
        database_url=f"sqlite:///{tmp_path}/n.db", data_dir=tmp_path, secret_key="a key for documents",
        twilio_account_sid="AC" + "0" * 32, twilio_auth_token="token",
    )  # fmt: skip
    text = _read("docs/operations.md")
    table = text[text.index("## The addresses") : text.index("## What to watch")]
    documented = [
        address.removesuffix("...") for address in re.findall(r"^\| `(/[^`]*)`", table, re.MULTILINE)
    ]
    rules = {rule.rule for rule in create_app(build_context(settings)).url_map.iter_rules()} - {
        "/static/<path:filename>"
    }
    for rule in rules:
        assert any(rule.startswith(address) for address in documented), f"{rule} is not documented"
    for address in documented:
        assert any(rule.startswith(address) for rule in rules), f"{address} does not exist"


def test_it_lists_every_kind_of_event() -> None:
    rows = re.findall(r"^\| \w+ \| (`.*`) \|$", _read("docs/events.md"), re.MULTILINE)
    assert tuple(re.findall(r"`([a-z.-]+)`", " ".join(rows))) == KINDS
    assert set(SENTENCES) <= set(KINDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_links_to_what_exists(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_it_names_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", _read("Makefile"), re.MULTILINE))
    for document in DOCUMENTS:
        for name in re.findall(r"`make ([a-z]+)", document.read_text()):
            assert name in targets, f"{document.name} names make {name}"
