"""``python -m simulator``: the phone company and the post office in real time."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from simulator import server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A phone company on your desk.")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8787, or SIMULATOR_PORT)")
    parser.add_argument("--scene", type=Path, help="JSON file with numbers, callers and phones")
    parser.add_argument("--data", type=Path, help="folder for recordings and the clock file")
    parser.add_argument("--smtp-port", type=int, help="port that takes mail (2526, or SIMULATOR_SMTP_PORT)")
    parser.add_argument(
        "--deliver-to",
        metavar="URL",
        help="where mail is delivered: smtp://, lmtp:// or lmtp+unix:// (smtp://127.0.0.1:2525, or "
        "SIMULATOR_DELIVER_TO)",
    )
    given = vars(parser.parse_args())
    logging.basicConfig(level=logging.WARNING)
    return server.main(**given)


if __name__ == "__main__":
    sys.exit(main())
