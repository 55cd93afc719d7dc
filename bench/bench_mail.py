"""Mail beside the standard library: an ordinary mail of about 20 kB, and memory for one of 25 MB.

Run it as ``python -m bench mail``. Both sides read the same bytes in one thread; the library parses with its
default policy and takes every part's content, this program also cleans the HTML, names the attachments, folds
quotations and judges who writes. Medians of alternating rounds.
"""

from __future__ import annotations

import base64
import email
import email.policy
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

from intake.mail.parsing import read_mail

ROUNDS, EACH = 30, 10
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


_CHILD = """
import base64, sys
from intake.mail.parsing import read_mail
read_mail(b"Subject: warm\\n\\nbody")
kind, size = sys.argv[1], int(sys.argv[2])
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
read_mail(raw)
print(len(raw), (status("VmHWM") - before) * 1024)
"""


def memory(kind: str, size: int = 25_000_000) -> float:
    """The most memory that reading took, the mail's own bytes included, in sizes of the mail. Linux only."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, kind, str(size)], capture_output=True, text=True, check=True
    )
    length, grown = map(int, done.stdout.split())
    return 1 + grown / length


def main() -> None:
    """Print the two rates with their ratio, then the memory."""
    raw = ordinary_mail()
    theirs, ours = rates(raw)
    print(f"  a mail of {len(raw):,} bytes: library {theirs:,.0f}/s, read and made safe {ours:,.0f}/s, "
          f"ratio {ours / theirs:.2f}")  # fmt: skip
    for kind in ("attachment", "plain", "html"):
        print(f"  25 MB as {kind}: {memory(kind):.1f} times its size")


if __name__ == "__main__":
    main()
