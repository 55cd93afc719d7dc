"""From a mail's arrival to its case, on the embedded default: by SMTP, and by IDLE where Dovecot is installed.

Mail process and worker are processes of their own, as the Procfile starts them. The clock runs from before the
sender connects (or the mail is put into the mailbox) until the case can be read from the database; one mail at a
time, so that every one finds them at rest. Then a burst, from the first mail sent until the last one is a case.
"""

from __future__ import annotations

import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from bench.bench_webhook import ROOT, environment_of, prepare, wait_until_listening
from bench.dovecot import MISSING, Dovecot, dovecot, free_port
from bench.mails import ordinary_mail
from core.database import Database
from intake.mail.models import InboundMail, MailState

MAILS, BURST = 60, 1_000
BOX = "MASsupport@smatechnologies.com"
WANTED_S = {"SMTP": 1.0, "IDLE": 3.0}


def letter(number: object) -> bytes:
    """An ordinary mail of about 20 kB, of a sender and a matter of its own."""
    return ordinary_mail().replace(b"bench-1@", f"{number}@".encode()).replace(
        b"ann@customer", f"ann{number}@customer".encode()
    )  # fmt: skip


class House:
    """Mail process and worker, and a look at their database."""

    def __init__(self, folder: str, smtp_port: int, database: Database) -> None:
        self.folder, self.smtp_port, self._database = Path(folder), smtp_port, database

    def cases(self) -> int:
        """How many mails have become cases."""
        with self._database.reading() as session:
            taken = (
                sa.select(sa.func.count())
                .select_from(InboundMail)
                .where(InboundMail.state == MailState.TAKEN)
            )
            return int(session.scalar(taken) or 0)

    def send(self, *numbers: object) -> None:
        """Send mails by SMTP, on one connection."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            for number in numbers:
                client.sendmail("ann@customer.example", [BOX], letter(number))

    def wait_for(self, count: int, patience_s: float = 30.0) -> float:
        """Until there are so many cases; when."""
        until = time.perf_counter() + patience_s
        while self.cases() < count:
            if time.perf_counter() > until:
                raise RuntimeError("a mail has not become a case")
            time.sleep(0.002)
        return time.perf_counter()


@contextmanager
def house(imap_url: str = "") -> Iterator[House]:
    """The house at night, with both ways in."""
    with tempfile.TemporaryDirectory() as folder:
        url, port = f"sqlite:///{folder}/nightbell.db", free_port()
        prepare(url, folder)
        environment = environment_of(url, folder, free_port()) | {
            "NIGHTBELL_SMTP_LISTEN": f"smtp://127.0.0.1:{port}",
            "NIGHTBELL_IMAP_URL": imap_url,
            "NIGHTBELL_LOG_LEVEL": "ERROR",
            "TWILIO_API_URL": "http://127.0.0.1:9",
        }
        # What they write is that there is no telephone company, over and over.
        children = [
            subprocess.Popen([sys.executable, name], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
            for name in ("mail.py", "worker.py")
        ]
        database = Database(url)
        try:
            wait_until_listening(port)
            while not list(Path(folder, "wake").glob("worker-*.pipe")):
                time.sleep(0.05)
            time.sleep(0.5)
            yield House(folder, port, database)
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait()
            database.close()


def seconds_each(house: House, arrive: Callable[[int], None]) -> list[float]:
    """From arrival to case, for each of some mails, sorted."""
    found = []
    for number in range(MAILS):
        before = house.cases()
        began = time.perf_counter()
        arrive(number)
        found.append(house.wait_for(before + 1) - began)
        time.sleep(0.05)
    return sorted(found)


def report(name: str, seconds: list[float]) -> None:
    """Print the figures of one way in."""
    p95 = seconds[int(len(seconds) * 0.95)]
    print(f"  {name}: arrival -> case, {len(seconds)} mails of 20 kB")
    print(f"    median {median(seconds) * 1000:6.0f} ms")
    print(f"    p95    {p95 * 1000:6.0f} ms (wanted: under {WANTED_S[name] * 1000:,.0f})")


def burst(house: House) -> None:
    """Two senders at once; print the rates."""
    before, began = house.cases(), time.perf_counter()
    halves = [[f"b{who}-{number}" for number in range(BURST // 2)] for who in range(2)]
    senders = [threading.Thread(target=house.send, args=half) for half in halves]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    sent = time.perf_counter() - began
    done = house.wait_for(before + BURST, 300) - began
    print(f"  burst of {BURST:,} by two senders: stored {BURST / sent:,.0f}/s, cases {BURST / done:,.0f}/s")


def main() -> None:
    """Measure and print."""
    with house() as at_rest:
        report("SMTP", seconds_each(at_rest, at_rest.send))
        burst(at_rest)
    if MISSING is None:
        print("  IDLE: skipped, dovecot-imapd is not installed")
        return
    with dovecot() as server:
        report("IDLE", _by_idle(server))


def _by_idle(server: Dovecot) -> list[float]:
    with house(server.url()) as at_rest, server.client() as client:
        return seconds_each(at_rest, lambda number: _put(client, number))


def _put(client: object, number: int) -> None:
    client.append("INBOX", "", "", letter(number))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
