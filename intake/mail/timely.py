"""Reading a mail within a time, whatever is in it.

A mail is read in a thread of its own. When its time is over an exception is raised inside of that thread, and
nobody waits for it: what loops in Python ends there, what waits for something ends later, and neither holds anybody
up. What keeps the interpreter's lock to itself, or takes the whole process with it, cannot be interrupted so; it has
no more than one chance: the second try reads in a process that is killed when its time is over.

A process for each mail would cost more than reading it (0.1 s and 40 MB beside 1 ms), and the reader is linear in
what it reads; so the process is for what has done harm already.
"""

from __future__ import annotations

import contextlib
import ctypes
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from intake.mail.parsing import Envelope, Ours, ParsedMail, read_mail
from intake.mail.parsing.reading import salvage

SECONDS = 2.0
_APART_SECONDS = 10.0
_ROOT = Path(__file__).resolve().parent.parent.parent


class _TooLong(BaseException):
    """Raised inside a reading that takes too long; no ``except Exception`` on its way stops it."""


class _Reading(threading.Thread):
    def __init__(self, read: Callable[[], ParsedMail]) -> None:
        super().__init__(name="mail-reading", daemon=True)
        self._read = read
        self.mail: ParsedMail | None = None
        self.error = ""

    def run(self) -> None:
        try:
            self.mail = self._read()
        except _TooLong:
            pass
        except Exception as error:  # noqa: BLE001  # whatever it is, the mail is not lost
            self.error = type(error).__name__

    def interrupt(self) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self.ident or 0), ctypes.py_object(_TooLong)
        )


def read_in_time(
    raw: bytes, envelope: Envelope, ours: Ours | None, authserv_id: str | None, seconds: float = SECONDS
) -> ParsedMail:
    """The mail; ``damaged`` and made from envelope and bytes if reading raises or takes longer than ``seconds``."""
    reading = _Reading(lambda: read_mail(raw, envelope, ours, authserv_id))
    reading.start()
    reading.join(seconds)
    if reading.mail is not None:
        return reading.mail
    if reading.is_alive():
        reading.interrupt()
        return salvage(raw, envelope, f"reading took longer than {seconds:g} seconds")
    return salvage(raw, envelope, f"{reading.error} while reading")


def read_apart(
    raw: bytes,
    envelope: Envelope,
    ours: Ours | None,
    authserv_id: str | None,
    seconds: float = _APART_SECONDS,
) -> ParsedMail:
    """The same, in a process of its own, with a bound on its memory."""
    command = [sys.executable, "-m", "intake.mail.timely"]
    work = pickle.dumps((raw, envelope, ours, authserv_id))
    try:
        done = subprocess.run(  # noqa: S603  # a command of our own
            command, input=work, capture_output=True, timeout=seconds, cwd=_ROOT, check=True
        )
        mail = pickle.loads(done.stdout)  # noqa: S301  # our own process has written it
        assert isinstance(mail, ParsedMail)
    except subprocess.TimeoutExpired:
        return salvage(raw, envelope, f"reading took longer than {seconds:g} seconds")
    except (subprocess.CalledProcessError, pickle.UnpicklingError, EOFError, AssertionError) as error:
        return salvage(raw, envelope, f"{type(error).__name__} while reading apart")
    return mail


def _child() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    work = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own process has written it
    sys.stdout.buffer.write(pickle.dumps(read_mail(*work)))


if __name__ == "__main__":
    _child()
