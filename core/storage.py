"""Bytes under keys: in a folder, or in S3-compatible storage; the same calls for both.

Loading this takes 5 MB, which a process does without until it has something to keep or to play.
"""

from __future__ import annotations

from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url


class StorageError(OSError):
    """The storage did not do what it was asked, or does not have what was asked for."""


class Storage:
    """``where`` is a folder, or an address such as ``s3://bucket/prefix``; :class:`StorageError` if it is none."""

    def __init__(self, where: Path | str) -> None:
        try:
            self._store = LocalStore(where) if isinstance(where, Path) else from_url(where)
        except (BaseError, ValueError) as error:
            raise StorageError(_in_one_line(error)) from None

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``, in the place of what was there."""
        try:
            obstore.put(self._store, key, content)
        except BaseError as error:
            raise StorageError(_in_one_line(error)) from error

    def get(self, key: str) -> bytes:
        """The bytes kept under ``key``."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except BaseError as error:
            raise StorageError(_in_one_line(error)) from error


def _in_one_line(error: Exception) -> str:
    # The library adds a picture of its own structures to what it says.
    return str(error).partition("\n")[0].strip()
