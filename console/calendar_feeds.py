"""Calendars of who is on call, behind secret addresses: the calendar programs that read them cannot sign in."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, request

from routing.context import Context
from routing.policies import NoPolicy
from routing.rosters.addresses import calendar_at

calendar_feeds = Blueprint("calendar_feeds", __name__)


@calendar_feeds.get("/calendar/<token>.ics")
def calendar(token: str) -> Response:
    """A person's or a schedule's shifts; 404 for whatever is wrong with the address."""
    context: Context = current_app.extensions["nightbell"]
    try:
        with context.database.reading() as session:
            found = calendar_at(session, context.policies.current(), token, context.clock.now())
    except NoPolicy:
        abort(404)
    except sa.exc.SQLAlchemyError:
        # Calendar programs keep what they have, and come again.
        return Response("the calendar cannot be read now", 503, {"Retry-After": "60"}, mimetype="text/plain")
    if found is None:
        abort(404)
    response = Response(found, mimetype="text/calendar")
    response.add_etag()
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["Content-Disposition"] = 'inline; filename="oncall.ics"'
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response.make_conditional(request)  # type: ignore[return-value]
