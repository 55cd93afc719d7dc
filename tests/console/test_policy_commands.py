"""``nightbell policy``: checked, compared, applied whole, undone, listed, and given back as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Nightbell = Callable[..., Result]
CHANGE = ("1: {respond: 4 business hours, cover: business hours}", "1: {respond: 2 hours, cover: 24x7}")
FOOLISH = ('phone: "+17135550102", verified: true', 'phone: "+17135550102"')


@pytest.fixture
def file(tmp_path: Path, sample: str) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(sample)
    return path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_it_checks_without_settings_or_database(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.console.conftest import command

    monkeypatch.chdir(file.parent)
    result = command("policy", "check", str(file))
    assert (result.exit_code, result.output) == (0, f"{file}: no mistakes\n")


def test_it_ends_with_another_status_for_mistakes_and_when_strict_for_warnings(
    nightbell: Nightbell, file: Path
) -> None:
    assert nightbell("policy", "check", "--strict", str(file)).exit_code == 0
    edit(file, *FOOLISH)
    loose, strict = (
        nightbell("policy", "check", str(file)),
        nightbell("policy", "check", "--strict", str(file)),
    )
    assert (loose.exit_code, strict.exit_code) == (0, 1)
    assert "people.luis.verified: Luis Ortega's phone is not verified" in loose.output
    assert "no mistakes, 1 warning" in loose.output
    edit(file, "{tier: elite}", "{tier: elit}")
    wrong = nightbell("policy", "check", str(file))
    assert wrong.exit_code == 1
    assert (
        "customers.lakeside.contracts.support.tier: no tier is called 'elit'; did you mean 'elite'?"
        in wrong.output
    )
    assert "1 mistake; nothing was changed" in wrong.output


def test_it_reads_from_a_pipe(nightbell: Nightbell, sample: str) -> None:
    assert nightbell("policy", "check", "-", stdin=sample).exit_code == 0
    assert "byte 1 is not UTF-8" in nightbell("policy", "check", "-", stdin=b"\xff\xfe").output
    assert nightbell("policy", "apply", "-", stdin=sample).exit_code == 0


def test_it_says_what_a_file_is_that_is_no_policy(nightbell: Nightbell, tmp_path: Path) -> None:
    binary = tmp_path / "nightbell.db"
    binary.write_bytes(b"SQLite format 3\x00" + bytes(range(256)))
    for command in ("check", "diff", "apply"):
        result = nightbell("policy", command, str(binary))
        assert result.exit_code == 1
        assert "line 2: byte " in result.output
    assert nightbell("policy", "check", str(tmp_path)).exit_code == 2
    assert nightbell("policy", "check", str(tmp_path / "nothing.yaml")).exit_code == 2


def test_it_gives_back_what_was_applied_byte_for_byte(nightbell: Nightbell, file: Path) -> None:
    edit(file, "company: SMA Technologies", "company: Müller & Söhne")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert nightbell("policy", "apply", str(file)).exit_code == 0
    exported = nightbell("policy", "export")
    assert exported.stdout_bytes == file.read_bytes()
    copy = file.with_name("copy.yaml")
    copy.write_bytes(exported.stdout_bytes)
    again = nightbell("policy", "apply", str(copy))
    assert again.output == "policy version 1 is in force already, with the same document\n"
    assert "no version 7" in nightbell("policy", "export", "--version", "7").output


def test_it_says_what_changes_and_who_would_be_rung(nightbell: Nightbell, file: Path) -> None:
    nightbell("policy", "apply", str(file))
    edit(file, *CHANGE)
    said = nightbell("policy", "diff", str(file), "--from", "2026-11-25", "--days", "3")
    assert said.exit_code == 0
    assert "Select priority 1: 4 business hours -> 2 hours around the clock" in said.output
    assert "from Wed 25 Nov 2026 00:00 CST to Sat 28 Nov 2026 00:00 CST" in said.output
    assert "  Line support, priority 1: Select customers\n" in said.output
    lines = [line.strip() for line in said.output.splitlines() if "->" in line and " - " in line]
    assert lines == [
        "Wed 25 Nov 2026 00:00 CST - Wed 25 Nov 2026 08:00 CST: nobody -> Priya Natarajan",
        "Wed 25 Nov 2026 17:00 CST - Fri 27 Nov 2026 08:00 CST: nobody -> Priya Natarajan",
        "Fri 27 Nov 2026 17:00 CST - Sat 28 Nov 2026 00:00 CST: nobody -> Priya Natarajan",
    ]
    assert nightbell("policy", "history").output.count("\n") == 1  # it has changed nothing


def test_it_says_so_when_the_same_people_are_rung(nightbell: Nightbell, file: Path) -> None:
    nightbell("policy", "apply", str(file))
    assert "Nothing changes." in nightbell("policy", "diff", str(file)).output
    edit(file, "  goodbye: Goodbye.", "  goodbye: Bye.")
    said = nightbell("policy", "diff", str(file)).output
    assert "Prompt goodbye: Goodbye. -> Bye." in said
    assert "the same people at every minute" in said


def test_it_counts_local_days_over_a_clock_change(nightbell: Nightbell, file: Path) -> None:
    nightbell("policy", "apply", str(file))
    edit(file, *CHANGE)
    said = nightbell("policy", "diff", str(file), "--from", "2026-11-01", "--days", "1").output
    assert "Sun 01 Nov 2026 00:00 CDT - Mon 02 Nov 2026 00:00 CST: nobody -> " in said


def test_it_changes_nothing_on_a_dry_run_or_a_mistake(nightbell: Nightbell, file: Path) -> None:
    nightbell("policy", "apply", str(file))
    edit(file, *CHANGE)
    edit(file, *FOOLISH)
    dry = nightbell("policy", "apply", "--dry-run", str(file))
    assert dry.exit_code == 0
    assert "Select priority 1" in dry.output
    assert "warning: line " in dry.output
    edit(file, "{tier: classic}", "{tier: clasic}")
    assert nightbell("policy", "apply", str(file)).exit_code == 1
    assert nightbell("policy", "history").output.count("\n") == 1


@pytest.mark.both_databases
def test_it_undoes_and_undoes_the_undoing(nightbell: Nightbell, file: Path, sample: str) -> None:
    nightbell("policy", "apply", str(file))
    assert "version 1 is the first" in nightbell("policy", "undo").output
    edit(file, *CHANGE)
    nightbell("policy", "apply", str(file), "--note", "the board wants it")
    assert "nothing was changed" in nightbell("policy", "undo", "--dry-run").output
    undone = nightbell("policy", "undo")
    assert "Select priority 1: 2 hours around the clock -> 4 business hours" in undone.output
    assert "policy version 3 is in force: the document of version 1" in undone.output
    assert nightbell("policy", "export").output == sample
    assert "version 4 is in force: the document of version 2" in nightbell("policy", "undo").output
    assert nightbell("policy", "export").output == file.read_text()
    assert (
        "version 5 is in force: the document of version 1" in nightbell("policy", "undo", "--to", "1").output
    )
    assert "already says what version 3 says" in nightbell("policy", "undo", "--to", "3").output
    assert nightbell("policy", "undo", "--to", "99").exit_code == 1
    listed = nightbell("policy", "history").output.splitlines()
    assert [line.split()[0] for line in listed] == ["5", "4", "3", "2", "1"]
    assert "the board wants it" in listed[3]
    assert "undo of version 2: the document of version 1" in listed[2]


def test_it_says_what_is_missing_where_nothing_was_applied(nightbell: Nightbell, file: Path) -> None:
    for words in (("export",), ("history",), ("undo",), ("diff", str(file))):
        result = nightbell("policy", *words)
        assert (result.exit_code, result.output) == (
            1, "Error: no policy has been applied; do: nightbell policy apply FILE\n",
        )  # fmt: skip
