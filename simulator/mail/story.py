"""``python -m simulator.mail.story``: plays a mail's story against a running system, and tells it as it happens.

A customer writes to the Managed Services address; the receipt comes with a case number and a promised time; an
engineer is told, answers by replying to that mail; the customer gets the answer in the same conversation, and
replies; the reply lands on the same case. ``--urgent`` plays it at night: the customer asks for priority 1, is
asked to accept the charges, replies YES, and the consultant's phone rings until a key is pressed.

Everything goes through the simulator's control API, and through the signed link that the engineer gets. The exit
code is 0 only if all of it came; what did not come is said plainly.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from types import FrameType

from simulator.mail.story_acts import Ordinary, Urgent
from simulator.mail.story_desk import PostDesk, at_work, person
from simulator.mail.story_telling import Missing, Story
from simulator.night_desk import Json, NightError, Stage
from simulator.night_story import Paper

NIGHT, ZONE = "02:10", "America/Chicago"
GRACE = "grace@harbor.example"


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    desk = PostDesk(given.simulator)
    try:
        mail = desk.mail()
        line = given.line or (mail["lines"][0]["address"] if mail["lines"] else "")
        if not line:
            raise NightError("the simulator knows no address of the product's; name it with --line")
        return _perform(desk, line, person(mail, given.customer), given)
    except NightError as error:
        print(f"mail: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nmail: stopped; the clock and the phones are as they were", file=sys.stderr)
        return 130
    return 1


def _perform(desk: PostDesk, line: str, customer: Json, given: argparse.Namespace) -> int:
    paper = Paper(ZONE, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    stage = Stage(desk, desk.state())
    try:
        act = _begin(desk, stage, paper, line, customer, given)
        lacking = _play(act)
        act.tell_the_end()
    finally:
        stage.clear(clock=not given.keep_clock)
    if lacking is not None:
        print(f"\nmail: {lacking}", file=sys.stderr)
        return 1
    print(f"\n{act.moral}")
    return 0


def _begin(
    desk: PostDesk, stage: Stage, paper: Paper, line: str, customer: Json, given: argparse.Namespace
) -> Story:
    act: type[Story] = Urgent if given.urgent else Ordinary
    if given.urgent:
        stage.set(NIGHT, ZONE)
    else:
        now = datetime.fromisoformat(desk.mail()["now"])
        if (then := at_work(now, ZONE)) != now:
            desk.do("/clock", offset=(then - datetime.now(UTC)).total_seconds())
    print(paper.heading(act.title) + f" ({customer['name']} writes to {line})")
    print("(+s: seconds since the mail was written)\n")
    return act(desk, paper, line, customer, given.patience)


def _play(act: Story) -> str | None:
    """What did not come, in a sentence; None when all of it did."""
    try:
        act.play()
    except Missing as missing:
        return str(missing)
    return act.broken()


def _arguments() -> argparse.Namespace:
    port = os.environ.get("SIMULATOR_PORT") or "8787"
    parser = argparse.ArgumentParser(
        prog="python -m simulator.mail.story", description="Play a mail's story."
    )
    parser.add_argument("--urgent", action="store_true", help="at night, and it cannot wait")
    parser.add_argument(
        "--simulator", default=f"http://127.0.0.1:{port}", metavar="URL", help="(%(default)s)"
    )
    parser.add_argument("--customer", default=GRACE, metavar="ADDRESS", help="who writes (%(default)s)")
    parser.add_argument("--line", metavar="ADDRESS", help="where to (the first address of the scene)")
    parser.add_argument(
        "--patience", type=float, default=20.0, metavar="SECONDS", help="for each thing that must come"
    )
    parser.add_argument("--keep-clock", action="store_true", help="leave the clock as the story set it")
    return parser.parse_args()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
