"""The quick reading of a form finds what the library finds."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser

from webhooks.forms import QuickFormParser, fields

URLENCODED = "application/x-www-form-urlencoded"
PIECES = st.sampled_from(["a", "b=", "=", "&", "+", "%2B", "%", "%C3%A4", "%ff", "ä", ";", "\n", "From"])


@given(st.lists(st.tuples(st.text(), st.text())))
def test_it_reads_back_what_was_encoded(pairs: list[tuple[str, str]]) -> None:
    sent = [(name, value) for name, value in pairs if (name + value).isprintable()]
    assert fields(urlencode(sent)) == sent


@given(st.lists(PIECES).map("".join))
def test_it_reads_odd_bodies_as_the_library_does(body: str) -> None:
    assert fields(body) == parse_qsl(body, keep_blank_values=True, errors="werkzeug.url_quote")


@pytest.mark.parametrize("body", [b"", b"a=1&a=2&b", b"a=%ff", b"\xff=1"])
def test_it_parses_bytes_as_the_library_does(body: bytes) -> None:
    quick = QuickFormParser().parse(BytesIO(body), URLENCODED, len(body))
    assert quick[1:] == FormDataParser().parse(BytesIO(body), URLENCODED, len(body))[1:]


def test_it_leaves_other_forms_to_the_library() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    _, form, _ = QuickFormParser().parse(BytesIO(body), "multipart/form-data", len(body), {"boundary": "x"})
    assert form.to_dict() == {"a": "1"}
