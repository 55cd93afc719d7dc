"""Mail beside the standard library: an ordinary mail of about 20 kB, from its bytes to the case.

Both sides read the same bytes. The library parses with its default policy and takes every part's content; this
program also cleans the HTML, names the attachments, folds quotations and judges who writes. Then the whole way: mails
are kept (SQLite, ``synchronous=FULL``, on the disk of the temporary folder), claimed by a worker that takes what
waits, read, made safe, and put onto the case that they answer, or each onto a case of its own with its promise, its
decision and its receipt. Medians of alternating rounds. The ratio of processor time holds on a machine that does
other work, too; the ratio of rates has the disk's patience in it.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

from bench.mails import Door, library_alone, ordinary_mail
from intake.mail.parsing import read_mail

ROUNDS, EACH = 30, 25
WANTED = 0.5


class Took(NamedTuple):
    """Seconds by the clock, and of the processor."""

    wall: float
    cpu: float


def took(work: Callable[[], object]) -> Took:
    """What ``work`` takes."""
    wall, cpu = perf_counter(), process_time()
    work()
    return Took(perf_counter() - wall, process_time() - cpu)


def report(what: str, theirs: Sequence[Took], ours: Sequence[Took]) -> None:
    """Print rates and ratios: the median of the rounds, each beside the library's in the same round."""
    pairs = list(zip(theirs, ours, strict=True))
    rate = statistics.median(EACH / each.wall for each in ours)
    wall = statistics.median(library.wall / each.wall for library, each in pairs)
    cpu = statistics.median(library.cpu / each.cpu for library, each in pairs)
    print(f"    {what:<46} {rate:6,.0f}/s, ratio {wall:.2f}, of processor time {cpu:.2f}")


def reading(raw: bytes) -> None:
    """The library beside reading alone."""
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(took(lambda: [library_alone(raw) for _ in range(EACH)]))
        ours.append(took(lambda: [read_mail(raw) for _ in range(EACH)]))
    rate = statistics.median(EACH / each.wall for each in theirs)
    print(f"  a mail of {len(raw):,} bytes; the library alone {rate:,.0f}/s")
    report("read and made safe", theirs, ours)


def whole_way(raw: bytes, *, opening: bool) -> None:
    """The library beside the way from bytes to the case."""
    with tempfile.TemporaryDirectory() as folder:
        door = Door(Path(folder), raw, opening=opening)
        ways = {
            "kept together, as by an import": door.together,
            "kept for eight senders at once, each waits": door.at_once,
            "kept for one sender, who waits for each": door.in_turn,
        }
        theirs: dict[str, list[Took]] = {name: [] for name in ways}
        ours: dict[str, list[Took]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                mails = door.mails(EACH)
                theirs[name].append(took(lambda: [library_alone(raw) for _ in range(EACH)]))
                ours[name].append(took(lambda way=way, mails=mails: way(mails)))  # type: ignore[misc]
        door.close()
    kind = "each opens a case, with its receipt" if opening else "each answers a case"
    print(f"  from bytes to the case, {kind} (wanted: {WANTED} or more)")
    for name in ways:
        report(name, theirs[name], ours[name])


def main() -> None:
    """Measure and print."""
    raw = ordinary_mail()
    reading(raw)
    for opening in (False, True):
        whole_way(raw, opening=opening)


if __name__ == "__main__":
    main()
