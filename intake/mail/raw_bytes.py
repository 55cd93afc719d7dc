"""The bytes of mails in the database: written once, read again, and of large ones no copy more than it takes."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import insert_into
from core.prepared import Prepared
from core.straight import straight
from intake.mail.models import InboundMail, MailBytes

LARGE = 1_000_000
"""Bytes of a mail from which on it is worth not to copy it."""


def raw_bytes(session: Session, mail: InboundMail) -> bytes:
    """The mail as it came."""
    return bytes_of(session, mail.sha256, mail.size)


def bytes_of(session: Session, sha256: str, size: int) -> bytes:
    """The bytes with a SHA-256; a large mail's without a copy that SQLite keeps for itself."""
    connection = session.connection()
    if size > LARGE and connection.dialect.name == "sqlite":
        place = connection.exec_driver_sql(
            "SELECT rowid FROM mail_bytes WHERE sha256 = ?", (sha256,)
        ).scalar()
        driver: Any = connection.connection.driver_connection
        with driver.blobopen("mail_bytes", "raw", place, readonly=True) as blob:
            return bytes(blob.read())
    raw = session.scalar(sa.select(MailBytes.raw).where(MailBytes.sha256 == sha256))
    assert raw is not None  # held by the foreign key
    return raw


def keep_bytes(session: Session, sha256: str, raw: bytes) -> None:
    """Write the bytes with a SHA-256, unless they are there."""
    if len(raw) > LARGE and session.get_bind().dialect.name == "sqlite":
        _write_through(session, sha256, raw)
        return
    straight(session, insert_once(session, MailBytes, "sha256"), sha256=sha256, raw=raw)


def _write_through(session: Session, sha256: str, raw: bytes) -> None:
    """Write a large mail straight into its place: as a parameter SQLite would copy it twice, and keep one."""
    connection = session.connection()
    place = connection.exec_driver_sql(
        "INSERT INTO mail_bytes (sha256, raw) VALUES (?, zeroblob(?)) ON CONFLICT DO NOTHING RETURNING rowid",
        (sha256, len(raw)),
    ).scalar()
    if place is not None:
        driver: Any = connection.connection.driver_connection
        with driver.blobopen("mail_bytes", "raw", place) as blob:
            blob.write(raw)


def insert_once(session: Session, model: Any, returning: str) -> Prepared:
    """An insert that a row of the same key lets alone, and then returns nothing."""
    return _prepared_insert(model.__table__, returning, session.get_bind().dialect.name)


@cache
def _prepared_insert(table: sa.Table, returning: str, dialect: str) -> Prepared:
    values = {
        column: sa.bindparam(column.name, type_=column.type)
        for column in table.columns
        if column is not table.autoincrement_column
    }
    statement = insert_into(table, dialect).values(values).on_conflict_do_nothing()
    return Prepared(statement.returning(table.c[returning]), dict.fromkeys(column.name for column in values))
