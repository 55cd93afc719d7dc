"""What stands between the house and the world: the clock, the way to the telephone company, the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any

import requests
import sqlalchemy as sa
from requests.adapters import BaseAdapter
from werkzeug.test import Client

from simulator.scheduler import VirtualScheduler


class StoryClock:
    """The product's clock: the story's."""

    def __init__(self, scheduler: VirtualScheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> datetime:
        return self._scheduler.now()


class WsgiAdapter(BaseAdapter):
    """The way to the company's REST API without a socket. ``company()`` is its application, or raises."""

    def __init__(self, company: Callable[[], Any]) -> None:
        super().__init__()
        self._company = company

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        body = request.body or b""
        answer = Client(self._company()).open(
            request.path_url,
            method=request.method,
            headers=dict(request.headers),
            data=body if isinstance(body, bytes) else body.encode(),
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(dict(answer.headers))
        response.raw = BytesIO(answer.get_data())
        response._content = answer.get_data()
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing to close."""


def spare_the_disk(connection: Any, _record: object) -> None:
    """Stories have no power cuts: what they commit need not reach the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
        return
    connection.execute("SET synchronous_commit TO off")
    connection.commit()


def earlier(*instants: datetime | None) -> datetime | None:
    """The earliest of those that there are."""
    return min((at for at in instants if at is not None), default=None)


def no_database() -> Any:
    """What a transaction begins with when the database is down."""
    raise sa.exc.OperationalError("SELECT 1", {}, ConnectionRefusedError("the database is down"))
