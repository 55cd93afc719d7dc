"""Fetching a calendar by its address, which is a secret: it is in no log and in no error."""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import urljoin, urlsplit

import requests

from routing.rosters.sieve import MAX_BYTES

_TIMEOUT = (5, 10)  # seconds: to connect, and between two pieces of the answer
_WHOLE_S = 20
_REDIRECTS = 3
_PIECE = 64 * 1024
_ANSWERS = {
    401: "asks for a sign-in; expected the calendar's secret address",
    403: "refuses to show the calendar; is its sharing turned off?",
    404: "does not know the calendar; was its address renewed?",
    410: "does not have the calendar any more; was its address renewed?",
}

# At DEBUG it writes down the path of every request.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class FetchError(Exception):
    """A calendar could not be fetched; the text says why, without its address."""


def web_address(text: str) -> str:
    """The http(s) address in ``text``, where ``webcal:`` is another word for https; ``ValueError`` if none."""
    address = re.sub(r"^webcals?:", "https:", text.strip(), flags=re.IGNORECASE)
    try:
        parts = urlsplit(address)
        valid = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("is not the address of a calendar; expected http://, https:// or webcal://")
    return address


def fetch(url: str) -> bytes:
    """What is at ``url``, followed through a few redirections; :class:`FetchError`."""
    try:
        with requests.Session() as session:
            return _follow(session, web_address(url))
    except requests.Timeout:
        raise FetchError("the calendar's server took too long") from None
    except (requests.RequestException, OSError) as error:
        # Its own text has the address in it.
        raise FetchError(f"the calendar's server cannot be reached ({type(error).__name__})") from None
    except ValueError:
        raise FetchError("the calendar's server sends us to what is no web address") from None


def _follow(session: requests.Session, url: str) -> bytes:
    end = time.monotonic() + _WHOLE_S
    for _ in range(_REDIRECTS + 1):
        with session.get(url, stream=True, timeout=_TIMEOUT, allow_redirects=False) as answer:
            if not answer.is_redirect:
                return _body(answer, end)
            following = web_address(urljoin(url, answer.headers["Location"]))
        if url.lower().startswith("https:") and not following.lower().startswith("https:"):
            raise FetchError("the calendar's server sends us from https to http")
        url = following
    raise FetchError(f"the calendar's server sends us on more than {_REDIRECTS} times")


def _body(answer: requests.Response, end: float) -> bytes:
    if answer.status_code != 200:
        said = _ANSWERS.get(answer.status_code, f"answers {answer.status_code}")
        raise FetchError(f"the calendar's server {said}")
    body = bytearray()
    for piece in answer.iter_content(_PIECE):
        body += piece
        if len(body) > MAX_BYTES:
            raise FetchError(f"the calendar is larger than {MAX_BYTES // 1024 // 1024} MB")
        if time.monotonic() > end:
            raise FetchError(f"the calendar was not there after {_WHOLE_S} seconds")
    return bytes(body)
