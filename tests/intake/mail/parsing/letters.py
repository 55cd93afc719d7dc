"""Mails for tests, written by hand."""

from __future__ import annotations

HEAD = (
    "From: Ann Archer <ann@customer.example>\nTo: support@vendor.example\n"
    "Subject: The line is down\nMessage-ID: <1@customer.example>\n"
)


def mail(*fields: str, body: str | bytes = "", head: str = HEAD) -> bytes:
    """A mail with the usual head, more fields and a body."""
    lines = head + "".join(f"{field}\n" for field in fields) + "\n"
    return lines.encode() + (body if isinstance(body, bytes) else body.encode())


def parts(*each: str, kind: str = "mixed", boundary: str = "cut", extra: str = "") -> bytes:
    """A multipart mail out of whole parts, each with its header."""
    body = "".join(f"--{boundary}\n{part}\n" for part in each) + f"--{boundary}--\n"
    return mail(f'Content-Type: multipart/{kind}; boundary="{boundary}"{extra}', body=body)


def part(body: str, *fields: str) -> str:
    return "".join(f"{field}\n" for field in fields) + "\n" + body
