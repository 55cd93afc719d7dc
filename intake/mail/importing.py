"""Mails out of files: single ones, folders (Maildir among them), and mbox files."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from pathlib import Path

_MBOX = re.compile(rb"(?:\r?\n)*From [^\r\n]*\r?\n[!-9;-~]{1,200}[ \t]*:")
_SEVERAL = re.compile(rb"\r?\n\r?\nFrom [^\r\n]*\d{4}[^\r\n]*\r?\n[!-9;-~]{1,200}:")
_CHUNK = 1 << 20
_NOT_MAIL = frozenset(
    {".json", ".md", ".txt", ".html", ".lock", ".index", ".log", ".yaml", ".yml", ".sqlite", ".db"}
)
_NOT_OF_MAILDIR = re.compile(r"(?:^|/)(?:tmp|dovecot[^/]*|maildir[^/]*|courier[^/]*|\.[^/]*)$")


def mails_in(path: Path) -> Iterator[tuple[str, bytes]]:
    """Each mail of a file or of everything below a folder, with the name of where it was.

    A file with several mails between its ``From `` lines is an mbox; any other is one mail, whatever is in it.
    Inside of a folder files are left out whose name says that they are something else.
    """
    if not path.is_dir():
        yield from _of_file(path)
        return
    for file in sorted(each for each in path.rglob("*") if each.is_file()):
        inside = file.relative_to(path).as_posix()
        if file.suffix.lower() not in _NOT_MAIL and not _NOT_OF_MAILDIR.search(inside):
            yield from _of_file(file)


def _of_file(file: Path) -> Iterator[tuple[str, bytes]]:
    if not _is_mbox(file):
        yield str(file), file.read_bytes()
        return
    box = mailbox.mbox(file, create=False)
    try:
        for number, key in enumerate(box.keys(), 1):
            yield f"{file}:{number}", box.get_bytes(key)
    finally:
        box.close()


def _is_mbox(file: Path) -> bool:
    with file.open("rb") as opened:
        before = opened.read(_CHUNK)
        if not _MBOX.match(before):
            return False
        while before:
            if _SEVERAL.search(before):
                return True
            more = opened.read(_CHUNK)
            before = before[-2000:] + more if more else b""
    return False
