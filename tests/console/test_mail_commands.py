"""``nightbell mail``: import from files, folders and mbox, list, show, replay."""

from __future__ import annotations

import json
import mailbox
from pathlib import Path

import pytest

from core.settings import load_settings
from intake.mail import timely
from routing.context import build_context
from tests.console.conftest import Nightbell
from worker import Worker

BOX = "MASsupport@smatechnologies.com"


def mail(number: int) -> bytes:
    return (
        f"From: Maria <maria@lakeside.example>\r\nTo: {BOX}\r\nSubject: Number {number}\r\n"
        f"Message-ID: <{number}@lakeside.example>\r\n\r\nFrom here on\r\ntext.\r\n"
    ).encode()


def taken_in() -> None:
    """Let a worker do what is due."""
    context = build_context(load_settings())
    Worker(context).run_due()
    context.database.close()


@pytest.fixture
def shell(nightbell: Nightbell, sample: str, tmp_path: Path) -> Nightbell:
    (tmp_path / "policy.yaml").write_text(sample)
    assert nightbell("policy", "apply", str(tmp_path / "policy.yaml")).exit_code == 0
    return nightbell


def test_it_imports_a_file_a_folder_and_an_mbox(shell: Nightbell, tmp_path: Path) -> None:
    file = tmp_path / "one.eml"
    file.write_bytes(mail(1))
    assert shell("mail", "import", str(file)).output == "1 taken\n"
    box = mailbox.mbox(tmp_path / "old.mbox")
    for number in (1, 2, 3):
        box.add(mail(number))
    box.close()
    assert shell("mail", "import", str(tmp_path / "old.mbox")).output == "2 taken, 1 here before\n"
    maildir = mailbox.Maildir(tmp_path / "Maildir")
    maildir.add(mail(4))
    (tmp_path / "Maildir" / "notes.txt").write_text("no mail")
    assert shell("mail", "import", str(tmp_path / "Maildir")).output == "1 taken\n"
    assert shell("mail", "import", str(tmp_path / "Maildir")).output == "1 here before\n"
    taken_in()
    listed = shell("mail", "list", "--state", "taken").output.splitlines()
    assert len(listed) == 5
    assert listed[1].split()[-1] == "maria@lakeside.example"
    assert {line.split()[4] for line in listed[1:]} == {"taken"}


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


def test_old_mail_is_taken_in_quietly(shell: Nightbell, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail(1).replace(b"Number", b"P1 URGENT"))
    shell("mail", "import", "--quiet", str(tmp_path / "one.eml"))
    taken_in()
    told = json.loads(shell("case", "1001").output)
    assert told["decision"]["outcome"] == "wait"
    assert told["due_at"] is None
    assert {entry["kind"] for entry in told["timeline"]} == {"case.opened", "mail.not-answered"}


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
