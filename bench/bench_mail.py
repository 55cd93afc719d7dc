"""Mail beside the standard library: an ordinary mail of about 20 kB, and memory for one of 25 MB.

Run it as ``python -m bench mail``. Both sides read the same bytes in one thread; the library parses with its
default policy and takes every part's content, this program also cleans the HTML, names the attachments, folds
quotations and judges who writes. Then the whole way: mails are stored (SQLite, ``synchronous=FULL``, on the
disk of the temporary folder), claimed by a worker that takes what waits, read, made safe, and put onto the case that
they answer. They are stored together, as by an import, or each by a commit of its own, as by SMTP: the disk's
patience is part of that. Medians of alternating rounds.
"""

from __future__ import annotations

import base64
import email
import email.policy
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from core.models import Message
from core.schema import migrate
from core.settings import load_settings
from intake.mail.models import InboundMail
from intake.mail.parsing import Envelope, read_mail
from intake.mail.receiving import TAKE_IN, Incoming, store, store_all
from routing.context import Context, build_context
from routing.policies import apply_policy
from worker import Worker

ROUNDS, EACH, BURST = 30, 10, 25
_WORDS = [
    "the",
    "line",
    "has",
    "been",
    "down",
    "since",
    "nine",
    "o'clock",
    "and",
    "the",
    "schedule",
    "of",
    "the",
    "batch",
    "did",
    "not",
    "start",
    "again",
]


def _sentence(chance: random.Random, length: int = 14) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(length)).capitalize() + "."


def ordinary_mail() -> bytes:
    """Text, HTML and one attachment, as a mail program of today writes them: about 20 kB."""
    chance = random.Random(7)
    paragraphs = [_sentence(chance, 40) for _ in range(9)]
    text = (
        "\r\n\r\n".join(paragraphs)
        + "\r\n\r\nOn Mon, 6 Jul 2026 at 09:12, Ann <ann@customer.example> wrote:\r\n> "
    )
    text += "\r\n> ".join(paragraphs[:3])
    style = 'style="font-family:Calibri,sans-serif;font-size:11pt;color:#1f1f1f;margin:0"'
    body = "".join(f"<p {style}>{each} <b>Regards</b></p>\r\n" for each in paragraphs)
    page = f'<html><head><meta charset="utf-8"><style>p {{margin:0}}</style></head><body>{body}<p><a href="https://'
    page += (
        'customer.example/ticket?id=7">the ticket</a> <img src="cid:logo@customer.example"></p></body></html>'
    )
    file = base64.encodebytes(chance.randbytes(9_300)).replace(b"\n", b"\r\n").decode()
    received = "".join(
        f"Received: from relay{n}.customer.example (relay{n}.customer.example [192.0.2.{n}])\r\n"
        f"\tby mx{n}.vendor.example with ESMTPS id 4Zk{n}x; Mon, 6 Jul 2026 12:0{n}:11 +0000\r\n"
        for n in range(1, 5)
    )
    return (
        f"{received}"
        "Authentication-Results: mx.vendor.example; spf=pass smtp.mailfrom=customer.example; dkim=pass\r\n"
        " header.d=customer.example\r\n"
        'From: "Ann of the Night Shift" <ann@customer.example>\r\nTo: Managed Services <mas@vendor.example>\r\n'
        "Cc: =?utf-8?q?J=C3=B6rg?= <joerg@customer.example>\r\n"
        "Subject: =?utf-8?q?The_line_is_down_=E2=80=93_again?=\r\n"
        "Date: Mon, 6 Jul 2026 12:00:01 +0000\r\nMessage-ID: <bench-1@customer.example>\r\n"
        "In-Reply-To: <case-7@vendor.example>\r\nReferences: <first@customer.example> <case-7@vendor.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
        '--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n'
        "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"{text}\r\n--inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"{page}\r\n--inner--\r\n--outer\r\nContent-Type: application/pdf; name=report.pdf\r\n"
        "Content-Disposition: attachment; filename=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{file}\r\n--outer--\r\n"
    ).encode()


def library_alone(raw: bytes) -> int:
    """What the standard library does with a mail: parse it, take every part's content."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return sum(len(part.get_content()) for part in message.walk() if not part.is_multipart())


def _rate(work: Callable[[bytes], object], raw: bytes) -> float:
    start = perf_counter()
    for _ in range(EACH):
        work(raw)
    return EACH / (perf_counter() - start)


def rates(raw: bytes) -> tuple[float, float]:
    """Mails a second: the library, this program."""
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(_rate(library_alone, raw))
        ours.append(_rate(read_mail, raw))
    return statistics.median(theirs), statistics.median(ours)


SAMPLE = Path(__file__).parent.parent / "routing" / "samples" / "agreement.yaml"
BOX, SENDER = "MASsupport@smatechnologies.com", "ann@lakeside.example"


def _to_the_mailbox(raw: bytes, number: int, answers: bytes) -> bytes:
    """The mail as somebody of a customer sends it: a new one, in answer to ``answers``."""
    raw = raw.replace(b"mas@vendor.example", BOX.encode()).replace(b"customer.example", b"lakeside.example")
    raw = raw.replace(b"<bench-1@", b"<bench-%d@" % number)
    return raw.replace(b"<case-7@vendor.example>", answers)


def installed(folder: Path) -> Context:
    """An installation of its own, with the sample's policy."""
    url = f"sqlite:///{folder / 'nightbell.db'}"
    migrate(url)
    settings = load_settings(
        database_url=url, data_dir=folder, secret_key="a key for a bench alone", twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="token",
    )  # fmt: skip
    context = build_context(settings)
    with context.database.writing() as session:
        apply_policy(session, SAMPLE.read_text(), datetime.now(UTC))
    return context


class Door:
    """An installation of its own, with a case that mails answer."""

    def __init__(self, folder: Path, raw: bytes) -> None:
        self.context = installed(folder)
        self.worker = Worker(self.context)
        self._raw, self._number = raw, 0
        self.rate(1)  # opens the case

    def rate(self, count: int = BURST, *, together: bool = True) -> float:
        """Mails a second, from bytes to the case; stored ``together`` or each by itself."""
        first = b"<bench-1@lakeside.example>" if self._number else b"<nothing@lakeside.example>"
        mails = [_to_the_mailbox(self._raw, self._number + n, first) for n in range(1, count + 1)]
        self._number += count
        start = perf_counter()
        envelope = Envelope(SENDER, [BOX])
        if together:
            store_all(self.context, [Incoming(mail, envelope, "import") for mail in mails])
        else:
            for mail in mails:
                store(self.context, mail, envelope, "smtp")
        self._work()
        return count / (perf_counter() - start)

    def _work(self) -> None:
        """What is due, but for messages to people: there is no telephone company here, and no mail server."""
        while claims := self.worker.claim(1):
            if claims[0].kind == TAKE_IN:
                self.worker.do(claims[0])

    def keep(self, raw: bytes) -> None:
        """Store one mail; whoever brought it may forget it then."""
        store(self.context, raw, Envelope(SENDER, [BOX]), "smtp")

    def take(self) -> None:
        """Take in what was stored; all of it must have been read."""
        self._work()
        with self.context.database.reading() as session:
            states = set(session.scalars(sa.select(InboundMail.state)))
        assert states == {"taken"}, states

    def close(self) -> None:
        """All mails are on the one case, or nothing was measured."""
        with self.context.database.reading() as session:
            found = session.execute(
                sa.select(Message.case_id, sa.func.count()).group_by(Message.case_id)
            ).all()
        assert [tuple(row) for row in found] == [(found[0][0], self._number)], found
        self.context.database.close()


def rates_through_the_door(raw: bytes) -> tuple[float, float, float]:
    """Mails a second: the library; this program from bytes to the case, together, and each stored by itself."""
    theirs, together, alone = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        door = Door(Path(folder), raw)
        for _ in range(ROUNDS):
            theirs.append(_rate(library_alone, raw))
            together.append(door.rate())
            alone.append(door.rate(together=False))
        door.close()
    return statistics.median(theirs), statistics.median(together), statistics.median(alone)


_CHILD = """
import base64, sys
from intake.mail.parsing import read_mail
kind, size, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if folder:
    from pathlib import Path
    from bench.bench_mail import Door, ordinary_mail
    door = Door(Path(folder), ordinary_mail())
read_mail(b"Subject: warm\\n\\nbody")
head = b"From: a@b.example\\r\\nSubject: big\\r\\n"
if kind == "attachment":
    head += b"Content-Type: application/pdf\\r\\nContent-Transfer-Encoding: base64\\r\\n\\r\\n"
    line = base64.b64encode(bytes(range(57))) + b"\\r\\n"
else:
    head += b"Content-Type: text/" + kind.encode() + b"; charset=utf-8\\r\\n\\r\\n"
    line = "grüße \\U0001f600 und text\\r\\n".encode()
raw = head + line * (size // len(line))
def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak begins anew: making the mail took memory, too
before = status("VmRSS")
length = len(raw)
if folder:
    door.keep(raw)
    del raw
    door.take()
else:
    read_mail(raw)
print(length, (status("VmHWM") - before) * 1024)
"""


def memory(kind: str, size: int = 25_000_000, *, whole_way: bool = False) -> float:
    """The most memory that reading took, the mail's own bytes included, in sizes of the mail. Linux only.

    ``whole_way``: storing it and taking it in, too, which a web process and a worker do in fact.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CHILD, kind, str(size), folder if whole_way else ""]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    length, grown = map(int, done.stdout.split())
    return 1 + grown / length


def main() -> None:
    """Print the two rates with their ratio, then the memory."""
    raw = ordinary_mail()
    theirs, ours = rates(raw)
    print(f"  a mail of {len(raw):,} bytes: library {theirs:,.0f}/s, read and made safe {ours:,.0f}/s, "
          f"ratio {ours / theirs:.2f}")  # fmt: skip
    theirs, together, alone = rates_through_the_door(raw)
    print(f"  from bytes to the case, {BURST} at once: library {theirs:,.0f}/s, stored together {together:,.0f}/s, "
          f"ratio {together / theirs:.2f}, each by itself {alone:,.0f}/s, ratio {alone / theirs:.2f}")  # fmt: skip
    for kind in ("attachment", "plain", "html"):
        read, whole = memory(kind), memory(kind, whole_way=True)
        print(
            f"  25 MB as {kind}: {read:.1f} times its size to read, {whole:.1f} times from bytes to the case"
        )


if __name__ == "__main__":
    main()
