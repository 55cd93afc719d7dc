"""Reading a mail within a time, whatever is in it.

Mails are read in a thread of their own. When the time of one is over an exception is raised inside of that thread,
and nobody waits for it: what loops in Python ends there, what waits for something ends later, and neither holds
anybody up. What keeps the interpreter's lock to itself, or takes the whole process with it, cannot be interrupted
so; it has no more than one chance: the second try reads in a process that is killed when its time is over.

A process for each mail would cost more than reading it (0.1 s and 40 MB beside 1 ms), and the reader is linear in
what it reads; so the process is for what has done harm already.
"""

from __future__ import annotations

import contextlib
import ctypes
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from intake.mail.parsing import Envelope, Ours, ParsedMail, read_mail
from intake.mail.parsing.reading import salvage

SECONDS = 2.0
# A process of its own has as much, of the processor's time; beside that it is to start, and the machine may be busy
# with others: that, and waiting for something, ends after so long.
_PROCESS_SECONDS = 10.0
_ROOT = Path(__file__).resolve().parent.parent.parent


class _TooLong(BaseException):
    """Raised inside a reading that takes too long; no ``except Exception`` on its way stops it."""


@dataclass(frozen=True)
class Unread:
    """A mail to be read: its bytes, what the servers said, how we know our own, and our receiver's name."""

    raw: bytes
    envelope: Envelope = field(default_factory=Envelope)
    ours: Ours | None = None
    authserv_id: str | None = None

    def read(self) -> ParsedMail:
        """The mail; raises what reading raises."""
        return read_mail(self.raw, self.envelope, self.ours, self.authserv_id)

    def saved(self, why: str) -> ParsedMail:
        """What envelope and bytes tell."""
        return salvage(self.raw, self.envelope, why)


class _Reader(threading.Thread):
    """Reads mails, one after the other: a thread for each would cost as much as reading it."""

    def __init__(self, mails: Sequence[Unread]) -> None:
        super().__init__(name="mail-reader", daemon=True)
        self._mails = mails
        self.done: list[ParsedMail] = []
        self.begun_at = time.monotonic()

    def run(self) -> None:
        with contextlib.suppress(BaseException):  # whoever waits sees that it did not come to its end
            for mail in self._mails:
                self.begun_at = time.monotonic()
                self.done.append(_read(mail))

    def interrupt(self) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self.ident or 0), ctypes.py_object(_TooLong)
        )


def _read(mail: Unread) -> ParsedMail:
    try:
        return mail.read()
    except Exception as error:  # noqa: BLE001  # whatever it is, the mail is not lost
        return mail.saved(f"{type(error).__name__} while reading")


def read_in_time(mails: Sequence[Unread], seconds: float = SECONDS) -> list[ParsedMail]:
    """The mails; ``damaged`` and made from envelope and bytes is what raises or takes longer than ``seconds``."""
    found: list[ParsedMail] = []
    while len(found) < len(mails):
        reader = _Reader(mails[len(found) :])
        reader.start()
        while reader.is_alive() and (left := seconds - (time.monotonic() - reader.begun_at)) > 0:
            reader.join(left)
        alive = reader.is_alive()
        late = alive and time.monotonic() - reader.begun_at >= seconds
        if alive:
            reader.interrupt()
        found += reader.done[:]
        if len(found) < len(mails) and (late or not alive):
            # A reader that is gone before its end has met with worse than an exception of reading.
            why = f"reading took longer than {seconds:g} seconds" if late else "the reader broke off"
            found.append(mails[len(found)].saved(why))
    return found


def read_apart(mail: Unread, seconds: float = SECONDS, in_all: float = _PROCESS_SECONDS) -> ParsedMail:
    """The same, in a process of its own that is killed after ``seconds`` of work, with a bound on its memory."""
    command = [sys.executable, "-m", "intake.mail.timely"]
    work = pickle.dumps((seconds, (mail.raw, mail.envelope, mail.ours, mail.authserv_id)))
    try:
        done = subprocess.run(  # noqa: S603  # a command of our own
            command, input=work, capture_output=True, timeout=in_all, cwd=_ROOT, check=True
        )
        found = pickle.loads(done.stdout)  # noqa: S301  # our own process has written it
        assert isinstance(found, ParsedMail)
    except subprocess.TimeoutExpired:
        return mail.saved(f"reading took longer than {in_all:g} seconds")
    except subprocess.CalledProcessError as error:
        late = error.returncode == -signal.SIGPROF
        return mail.saved(
            f"reading took longer than {seconds:g} seconds" if late else "the reader broke off apart"
        )
    except (pickle.UnpicklingError, EOFError, AssertionError) as error:
        return mail.saved(f"{type(error).__name__} while reading apart")
    return found


def _child() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    seconds, work = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own process has written it
    # By the system itself, and not by an exception: whatever keeps the interpreter busy, the process ends.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    sys.stdout.buffer.write(pickle.dumps(read_mail(*work)))


if __name__ == "__main__":
    _child()
