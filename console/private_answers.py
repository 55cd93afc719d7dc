"""What is answered to whoever has a signed link: the link is the key, so it must not leak, nor be kept by caches."""

from __future__ import annotations

from flask import Response, redirect

_PAGE = "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def kept_private(response: Response) -> Response:
    """``response``, which no other site, cache or search engine gets to know of."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def private_page(response: Response) -> Response:
    """The same for a page of ours: nothing from elsewhere runs in it, and it stands in no frame."""
    response.headers["Content-Security-Policy"] = _PAGE
    return kept_private(response)


def back_to(address: str) -> Response:
    """The way on after a form, to a page that may be loaded again without sending the form once more."""
    found = redirect(address, 303)
    return kept_private(Response(found.get_data(), 303, found.headers))
