"""Twilio's REST API for one account, at Twilio's paths: what the unmodified client calls."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import audio, listing
from simulator.company import PhoneCompany
from simulator.operations import Answer, ApiError, Missing, Operations
from simulator.resources import API


def not_found() -> ApiError:
    return ApiError(404, 20404, f"The requested resource {request.path} was not found")


def create_rest(company: PhoneCompany) -> Blueprint:
    """The blueprint with all the resources, behind basic authentication."""
    rest = Blueprint("rest", __name__, url_prefix=f"{API}/Accounts")
    rest.before_request(lambda: _refuse_strangers(company))
    rest.register_error_handler(ApiError, _error)
    rest.register_error_handler(listing.BadFilter, lambda error: _error(ApiError(400, 20001, str(error))))
    api = Operations(company)
    account = "/<account>"
    for path, method, handler in (
        (".json", "GET", api.account),
        ("/Calls.json", "POST", api.create_call),
        ("/Calls.json", "GET", api.calls),
        ("/Calls/<sid>.json", "GET", api.call),
        ("/Calls/<sid>.json", "POST", api.update_call),
        ("/Calls/<call_sid>/Recordings.json", "GET", api.recordings),
        ("/Messages.json", "POST", api.create_message),
        ("/Messages.json", "GET", api.messages),
        ("/Messages/<sid>.json", "GET", api.message),
        ("/Recordings.json", "GET", api.recordings),
        ("/Recordings/<sid>.json", "GET", api.recording),
        ("/Recordings/<sid>.json", "DELETE", api.delete_recording),
        ("/IncomingPhoneNumbers.json", "GET", api.numbers),
        ("/IncomingPhoneNumbers/<sid>.json", "GET", api.number),
        ("/IncomingPhoneNumbers/<sid>.json", "POST", api.update_number),
    ):
        rest.add_url_rule(
            account + path, f"{method}{path.replace('.', '-')}", _view(company, handler), methods=[method]
        )
    for ending in ("", ".wav", ".mp3"):
        rest.add_url_rule(
            f"{account}/Recordings/<sid>{ending}", "media" + ending[1:], _media(company, ending)
        )
    return rest


def _refuse_strangers(company: PhoneCompany) -> Response | None:
    who = request.authorization
    given = f"{who.username}:{who.password}" if who is not None and who.type == "basic" else ""
    if hmac.compare_digest(given.encode(), f"{company.account_sid}:{company.auth_token}".encode()):
        if request.view_args and request.view_args["account"] != company.account_sid:
            return _error(not_found())
        return None
    answer = _error(ApiError(401, 20003, "Authenticate"))
    answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return answer


def _error(error: ApiError) -> Response:
    answer = jsonify(
        code=error.code,
        message=str(error),
        more_info=f"https://www.twilio.com/docs/errors/{error.code}",
        status=error.status,
    )
    answer.status_code = error.status
    return answer


def _view(company: PhoneCompany, handler: Callable[..., Answer]) -> Callable[..., Response]:
    """A view that runs ``handler(form or query, **ids)`` on the engine's thread."""

    def view(account: str, **ids: str) -> Response:
        given: Any = request.form.copy() if request.method == "POST" else request.args.to_dict()
        path = request.path
        try:
            status, body = company.scheduler.ask(lambda: handler(given, path=path, **ids))
        except Missing as error:
            raise not_found() from error
        answer = jsonify(body) if body else Response()
        answer.status_code = status
        return answer

    return view


def _media(company: PhoneCompany, ending: str) -> Callable[..., Response]:
    def media(account: str, sid: str) -> Response:
        found = company.recordings.get(sid)
        ready = found is not None and found.status not in {"absent", "deleted", "in-progress"}
        if found is None or not ready or not found.has_media:
            raise not_found()
        if ending == ".mp3":
            return Response(audio.mp3(found.samples), mimetype="audio/mpeg")
        return Response(audio.wav(found.samples), mimetype="audio/x-wav")

    return media
