"""A closed-loop HTTP client in one thread: a number of connections, each sends its next request when it has its
answer. It does so little of its own that one core of it outruns the servers measured here."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What came of a run: requests a second, latencies in milliseconds, answers that were not 200."""

    per_second: float
    median_ms: float
    p99_ms: float
    failures: int
    count: int


def drive(port: int, requests: Sequence[bytes], connections: int, warm_up: int = 200) -> Load:
    """Send all of ``requests`` once, over ``connections`` at a time. The first ``warm_up`` are not counted."""
    waiting = iter(requests)
    selector = selectors.DefaultSelector()
    open_now = [_Connection(port) for _ in range(connections)]
    for connection in open_now:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send_next(waiting)
    latencies: list[float] = []
    failures = 0
    began = time.perf_counter()
    while any(connection.busy for connection in open_now):
        for key, _ in selector.select():
            status = key.data.receive()
            if status is None:
                continue
            failures += status != 200
            latencies.append(key.data.latency)
            if len(latencies) == warm_up:
                began = time.perf_counter()
            key.data.send_next(waiting)
    seconds = time.perf_counter() - began
    for connection in open_now:
        connection.socket.close()
    counted = sorted(latencies[warm_up:])
    return Load(
        len(counted) / seconds,
        counted[len(counted) // 2] * 1000,
        counted[int(len(counted) * 0.99)] * 1000,
        failures,
        len(counted),
    )


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.busy = False
        self.latency = 0.0
        self._sent = 0.0
        self._answer = b""

    def send_next(self, waiting: Iterator[bytes]) -> None:
        request = next(waiting, None)
        self.busy = request is not None
        if request is not None:
            self._answer, self._sent = b"", time.perf_counter()
            self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status, once the answer is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return None
        self.latency = time.perf_counter() - self._sent
        return int(head[9:12])
