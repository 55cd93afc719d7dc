"""The settings of a desk: mail goes to the simulated post office and comes from it, unless told otherwise."""

from __future__ import annotations

import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from console.desk import CannotStart, _elsewhere, _environment, _keep_environment, _require_free


def test_it_hands_mail_to_the_post_office_and_has_it_delivered_to_the_listener(tmp_path: Path) -> None:
    given = {"NIGHTBELL_DATA_DIR": str(tmp_path), "MAIL_PORT": "18325", "SIMULATOR_SMTP_PORT": "18326"}
    desk = _environment(given)
    assert desk["NIGHTBELL_SMTP_URL"] == "smtp+plain://127.0.0.1:18326"
    assert desk["NIGHTBELL_SMTP_LISTEN"] == desk["SIMULATOR_DELIVER_TO"] == "smtp://127.0.0.1:18325"
    assert desk["NIGHTBELL_AUTHSERV_ID"] == desk["SIMULATOR_MAIL_NAME"]


def test_it_follows_what_is_set_already(tmp_path: Path) -> None:
    given = {
        "NIGHTBELL_DATA_DIR": str(tmp_path), "NIGHTBELL_SMTP_URL": "smtp://mail.vendor.example",
        "NIGHTBELL_SMTP_LISTEN": "lmtp+unix:///run/nightbell/lmtp", "NIGHTBELL_AUTHSERV_ID": "mx.vendor.example",
    }  # fmt: skip
    desk = _environment(given)
    assert desk["NIGHTBELL_SMTP_URL"] == "smtp://mail.vendor.example"
    assert desk["SIMULATOR_DELIVER_TO"] == "lmtp+unix:///run/nightbell/lmtp"
    assert desk["SIMULATOR_MAIL_NAME"] == "mx.vendor.example"


def test_it_takes_other_ports_for_mail_where_nobody_asked_for_these(tmp_path: Path) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # if somebody else has it that is as good
            taken.bind(("127.0.0.1", 2525))
        desk = _environment({"NIGHTBELL_DATA_DIR": str(tmp_path)})
        assert desk["MAIL_PORT"] != "2525"


def test_a_shell_gets_the_settings_of_the_desk(tmp_path: Path) -> None:
    desk = _environment({"NIGHTBELL_DATA_DIR": str(tmp_path)})
    file = tmp_path / "desk.env"
    for _ in range(2):  # each start writes it anew
        _keep_environment(desk, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shell = f'set -a; . {file}; printf "%s|%s" "$NIGHTBELL_MAIL_FROM" "$NIGHTBELL_SECRET_KEY"'
    told = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True, env={}).stdout
    assert told == f"{desk['NIGHTBELL_MAIL_FROM']}|{desk['NIGHTBELL_SECRET_KEY']}"


def test_it_refuses_a_port_that_is_taken_with_a_word_on_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"make run SIMULATOR_SMTP_PORT={port + 1}"):
            _require_free("SIMULATOR_SMTP_PORT", port)


def test_it_says_the_port_of_a_story_only_where_it_is_not_the_usual_one() -> None:
    assert _elsewhere(8787) == ""
    assert _elsewhere(19087) == " SIMULATOR_PORT=19087"
