"""``nightbell mail``: import from files, folders and mbox, list, show, replay."""

from __future__ import annotations

import json
import mailbox
from pathlib import Path

import pytest

from console import mail_commands
from core.heartbeat import beat
from core.settings import load_settings
from intake.mail import timely
from intake.mail.import_report import Became, became
from routing.context import build_context
from tests.console.conftest import Nightbell
from worker import Worker

BOX = "MASsupport@smatechnologies.com"


KEPT_APART = (
    "here before with the same Message-ID and sender, but other bytes "
    "(nightbell mail list --state duplicate; nightbell mail replay ID takes one in)"
)
WAITS = "1 not taken in yet: the worker does that (python worker.py)\n"


def mail(number: int) -> bytes:
    return (
        f"From: Maria <maria@lakeside.example>\r\nTo: {BOX}\r\nSubject: Number {number}\r\n"
        f"Message-ID: <{number}@lakeside.example>\r\n\r\nFrom here on\r\ntext.\r\n"
    ).encode()


def taken_in() -> None:
    """Let a worker do what is due."""
    context = build_context(load_settings())
    Worker(context).run_due()
    context.close()


@pytest.fixture
def shell(nightbell: Nightbell, sample: str, tmp_path: Path) -> Nightbell:
    (tmp_path / "policy.yaml").write_text(sample)
    assert nightbell("policy", "apply", str(tmp_path / "policy.yaml")).exit_code == 0
    return nightbell


def test_it_imports_a_file_a_folder_and_an_mbox(shell: Nightbell, tmp_path: Path) -> None:
    file = tmp_path / "one.eml"
    file.write_bytes(mail(1))
    assert shell("mail", "import", str(file)).output == "1 new\n" + WAITS
    box = mailbox.mbox(tmp_path / "old.mbox")
    for number in (1, 2, 3):
        box.add(mail(number))
    box.close()
    assert shell("mail", "import", str(tmp_path / "old.mbox")).output == (
        f"2 new\n1 kept apart: {KEPT_APART}\n" + WAITS.replace("1", "2")  # an mbox has other line ends
    )
    maildir = mailbox.Maildir(tmp_path / "Maildir")
    maildir.add(mail(4))
    (tmp_path / "Maildir" / "notes.txt").write_text("no mail")
    assert shell("mail", "import", str(tmp_path / "Maildir")).output == "1 new\n" + WAITS
    again = "1 left out: here before, the same to the byte\n"
    assert shell("mail", "import", str(tmp_path / "Maildir")).output == again
    taken_in()
    listed = shell("mail", "list", "--state", "taken").output.splitlines()
    assert len(listed) == 5
    assert listed[1].split()[-1] == "maria@lakeside.example"
    assert {line.split()[4] for line in listed[1:]} == {"taken"}


@pytest.mark.both_databases
def test_it_says_what_became_of_what_it_imports(
    shell: Nightbell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_commands.time, "sleep", lambda _: taken_in())
    context = build_context(load_settings())
    with context.database.writing() as session:
        beat(session, "a worker", context.clock.now())
    context.close()
    answer = mail(2).replace(b"Message-ID", b"In-Reply-To: <1@lakeside.example>\r\nMessage-ID")
    for name, raw in {
        "1": mail(1),
        "2": answer,
        "3": mail(3),
        "4": mail(1),
        "5": mail(1) + b"--\r\nan added foot",
    }.items():
        (tmp_path / f"{name}.eml").write_bytes(raw)
    (tmp_path / "3.eml").write_bytes(mail(3).replace(b"<maria@lakeside.example>", b"<Maria>"))
    assert shell("mail", "import", str(tmp_path)).output.splitlines() == [
        "3 new",
        "1 left out: here before, the same to the byte",
        f"1 kept apart: {KEPT_APART}",
        "2 opened a case",
        "1 went onto a case that there was",
    ]


def test_it_says_how_many_are_to_be_looked_at(
    shell: Nightbell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise KeyError("x")

    (tmp_path / "1.eml").write_bytes(mail(1))
    shell("mail", "import", str(tmp_path / "1.eml"))
    monkeypatch.setattr(timely, "read_mail", raises)
    taken_in()
    context = build_context(load_settings())
    with context.database.reading() as session:
        found = became(session, [1])
    context.close()
    assert found == Became(opened=1, looked_at=1)
    assert (
        found.in_words()[1]
        == "1 of these to be looked at: unreadable, or of a forged sender (nightbell mail list)"
    )


@pytest.mark.both_databases
def test_it_shows_a_mail_and_its_bytes(shell: Nightbell, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail(1))
    shell("mail", "import", str(tmp_path / "one.eml"))
    assert shell("mail", "show", "1", "--raw").stdout_bytes == mail(1)
    assert json.loads(shell("mail", "show", "1").output)["message"] is None
    taken_in()
    told = json.loads(shell("mail", "show", "1").output)
    assert (told["state"], told["case_id"], told["via"]) == ("taken", 1001, "import")
    assert told["message"]["subject"] == "Number 1"
    assert "there is no mail 7" in shell("mail", "show", "7").output


@pytest.mark.both_databases
def test_old_mail_is_taken_in_quietly(shell: Nightbell, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail(1).replace(b"Number", b"P1 URGENT"))
    shell("mail", "import", "--quiet", str(tmp_path / "one.eml"))
    taken_in()
    told = json.loads(shell("case", "1001").output)
    assert told["decision"]["outcome"] == "wait"
    assert told["due_at"] is None
    assert {entry["kind"] for entry in told["timeline"]} == {"case.opened", "mail.not-answered"}


@pytest.mark.both_databases
def test_it_takes_in_what_was_poison(
    shell: Nightbell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise KeyError("x")

    (tmp_path / "one.eml").write_bytes(mail(1))
    shell("mail", "import", str(tmp_path / "one.eml"))
    with monkeypatch.context() as broken:
        broken.setattr(timely, "read_mail", raises)
        taken_in()
        assert "KeyError while reading" in shell("mail", "list", "--state", "poison").output
        assert "still cannot be read" in shell("mail", "replay", "1").output
    assert "case 1001 says now" in shell("mail", "replay", "1").output
    assert "nothing to do" in shell("mail", "replay", "1").output
    assert shell("mail", "list", "--state", "poison").output == "no mail\n"


def test_it_says_what_is_wrong(shell: Nightbell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not exist" in shell("mail", "import", "nowhere").output
    (tmp_path / "empty").mkdir()
    assert "no mail in it" in shell("mail", "import", str(tmp_path / "empty")).output
    monkeypatch.setenv("NIGHTBELL_MAIL_MAX_BYTES", "100000")
    (tmp_path / "big.eml").write_bytes(mail(1) + b"x" * 100_000)
    assert "NIGHTBELL_MAIL_MAX_BYTES is 100,000" in shell("mail", "import", str(tmp_path / "big.eml")).output


def test_a_strangers_bytes_do_nothing_to_the_terminal(shell: Nightbell, tmp_path: Path) -> None:
    raw = mail(1).replace(b"maria@lakeside.example>", b"\x1b]0;x\x07maria@lakeside.example>")
    (tmp_path / "one.eml").write_bytes(raw)
    shell("mail", "import", str(tmp_path / "one.eml"))
    taken_in()
    output = shell("mail", "list").output
    assert "\x1b" not in output
    assert "\x07" not in output
