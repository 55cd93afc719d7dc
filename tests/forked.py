"""Processes of the product that begin with its modules already imported: each has its own memory, signals and end.

Importing takes a second, and what these processes are tried for begins after it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["mail", "worker"])


class Forked:
    """``python -m module`` with this ``environment``; what it says on stderr goes to the file ``said``.

    No file that it writes may become larger than ``limit`` bytes.
    """

    def __init__(
        self, module: str, environment: Mapping[str, str], said: Path, *, limit: int | None = None
    ) -> None:
        self._said = said
        self._process = _FORKS.Process(target=_run, args=(module, dict(environment), str(said), limit))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """What it ended with, a signal as a negative number; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """As of :class:`subprocess.Popen`."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def said_until_its_end(self, timeout: float = 20) -> str:
        """Wait until it has ended; what it said."""
        self._process.join(timeout)
        assert self.returncode is not None, "it has not ended"
        return self._said.read_text()

    def runs_on_for(self, seconds: float) -> bool:
        """Whether it still runs after so long."""
        time.sleep(seconds)
        return self.returncode is None

    def kill(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._process.join()


def _run(module: str, environment: dict[str, str], said: str, limit: int | None) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__")
