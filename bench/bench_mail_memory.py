"""Memory for a mail of 25 MB, in sizes of the mail: to read it, and from its bytes to the case. Linux only.

Each form of mail in a process of its own. What is counted is the most that the process has had beyond what it had
before, and the mail's own bytes. ``its own``: whoever brought the mail keeps its copy until the case is there, as a
program would that stores a mail and takes it in by itself; else it is forgotten once it is stored, as by a web
process or the mail process.
"""

from __future__ import annotations

import base64
import quopri
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.mails import Door, ordinary_mail
from intake.mail.parsing import read_mail
from intake.mail.raw_bytes import LARGE

SIZE, WANTED = 25_000_000, 6.0
ROOT = Path(__file__).parent.parent
_HEAD = b"From: ann@lakeside.example\r\nSubject: big\r\nMIME-Version: 1.0\r\nContent-Type: "
_TEXT = "grüße \U0001f600 und text\r\n".encode()
_PAGE = (
    "<p style='margin:0'>grüße <b>\U0001f600</b> und <a href='https://a.example/'>text</a></p>\r\n".encode()
)


def _lines(kind: bytes, line: bytes, encoding: bytes = b"8bit") -> bytes:
    head = _HEAD + kind + b"; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    return head + line * (SIZE // len(line))


def _encoded(kind: bytes, line: bytes) -> bytes:
    return _lines(kind, base64.encodebytes(line * 57).replace(b"\n", b"\r\n"), b"base64")


def _parts() -> bytes:
    file = (
        b"--x\r\nContent-Type: application/pdf; name=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    file += base64.encodebytes(bytes(range(256)) * 36).replace(b"\n", b"\r\n")
    return _HEAD + b"multipart/mixed; boundary=x\r\n\r\n" + file * (SIZE // len(file)) + b"--x--\r\n"


FORMS: dict[str, Callable[[], bytes]] = {
    "one attachment": lambda: _lines(
        b"application/pdf", base64.b64encode(bytes(range(57))) + b"\r\n", b"base64"
    ),
    "all text": lambda: _lines(b"text/plain", _TEXT),
    "all text, one emoji": lambda: (
        _lines(b"text/plain", b"plain words, and no more\r\n") + "\U0001f600".encode()
    ),
    "all HTML, one emoji": lambda: (
        _lines(b"text/html", b"plain words, and no more\r\n") + "\U0001f600".encode()
    ),
    "all HTML": lambda: _lines(b"text/html", _TEXT),
    "all HTML, with marks": lambda: _lines(b"text/html", _PAGE),
    "text as base64": lambda: _encoded(b"text/plain", _TEXT),
    "HTML as base64": lambda: _encoded(b"text/html", _PAGE),
    "HTML as quoted-printable": lambda: _lines(b"text/html", quopri.encodestring(_PAGE), b"quoted-printable"),
    "2,000 attachments": _parts,
}


def _status(name: str) -> int:
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) * 1024


def measure(form: str, way: str) -> float:
    """The most memory, in sizes of the mail; ``way`` is to read it alone, or to take it in by a way."""
    with tempfile.TemporaryDirectory() as folder:
        door = Door(Path(folder), ordinary_mail())
        read_mail(b"Subject: warm\n\nbody")
        raw = FORMS[form]()
        assert len(raw) > LARGE
        Path("/proc/self/clear_refs").write_text(
            "5"
        )  # the peak begins anew: making the mail took memory, too
        before, size = _status("VmRSS"), len(raw)
        if way == "read":
            read_mail(raw)
        else:
            door.keep(raw)
            if way == "forgotten":
                del raw
            door.take_in()
        return 1 + (_status("VmHWM") - before) / size


def in_a_process(form: str, way: str) -> float:
    """The same, in a process that has done nothing else."""
    command = [sys.executable, "-m", "bench.bench_mail_memory", form, way]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def main() -> None:
    """Print what each form takes."""
    print(
        f"  {'25 MB as':<26}  to read   to the case   its own copy kept   (wanted: under {WANTED:g} times its size)"
    )
    for form in FORMS:
        read, forgotten, kept = (in_a_process(form, way) for way in ("read", "forgotten", "kept"))
        print(f"  {form:<26}  {read:7.1f}   {forgotten:11.1f}   {kept:17.1f}", flush=True)


if __name__ == "__main__":
    print(measure(*sys.argv[1:])) if len(sys.argv) > 1 else main()
