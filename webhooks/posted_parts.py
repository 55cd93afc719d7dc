"""The parts of a multipart/form-data body, to the byte. Flask would read fields as UTF-8, whatever they are."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart

from intake.mail.ways_in.posted import Part

_PARTS = 2_000


def read_parts(content_type: str, body: bytes) -> list[Part]:
    """The parts in their order; ValueError if the body is no such thing, or not whole."""
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        raise ValueError("no multipart/form-data")
    decoder = multipart.MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=_PARTS)
    decoder.receive_data(body)
    decoder.receive_data(None)
    found: list[Part] = []
    head: multipart.Field | multipart.File | None = None
    pieces: list[bytes] = []
    while not isinstance(event := decoder.next_event(), multipart.Epilogue):
        if isinstance(event, multipart.NeedData):
            raise ValueError("the body is cut")
        if isinstance(event, multipart.Field | multipart.File):
            head, pieces = event, []
        elif isinstance(event, multipart.Data) and head is not None:
            pieces.append(event.data)
            if not event.more_data:
                found.append(_part(head, b"".join(pieces)))
    return found


def _part(head: multipart.Field | multipart.File, data: bytes) -> Part:
    headers: Mapping[str, str] | Headers = head.headers
    name = head.filename if isinstance(head, multipart.File) else ""
    return Part(head.name, data, file_name=name or "", content_type=headers.get("Content-Type") or "")
