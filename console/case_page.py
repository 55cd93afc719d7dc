"""The page behind a signed link: one case, its timeline and decision, its voicemail to play."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request, send_file
from sqlalchemy.orm import Session

from console.case_mail_words import mail_in_words
from console.case_promises import ANSWERED, answer_form, promises_of
from console.case_reply_form import writing_forms
from console.paging_acts import PAGING, paging_form
from console.private_answers import private_page
from console.timeline import timeline
from core import phone_numbers
from core.links import CASE_LINK_DAYS, LinkRefused
from core.models import Case, Message, Person, Recording
from intake.mail.models import InboundMail
from routing.context import Context
from routing.correspondence.models import FOR_THE_CUSTOMER_ALONE, OutboundMail
from routing.decisions import decision_of_case
from routing.paging.everyone import acknowledgements_of
from routing.policy import Policy
from routing.wording import caller_id_in_words, time_left, written_instant

case_page = Blueprint("case_page", __name__)


def house_context() -> Context:
    """The context of the application that answers."""
    found: Context = current_app.extensions["nightbell"]
    return found


def case_number(token: str) -> int:
    """The case that a link's token names; 404 when it is not ours, or too old."""
    try:
        return house_context().links.read(token)
    except LinkRefused:
        words = render_template("refused.html", days=CASE_LINK_DAYS)
        abort(private_page(Response(words, 404)))


@case_page.get("/case/<token>")
def show(token: str) -> Response:
    """The case as a page, or as JSON for who asks for it."""
    return page_of(token)


def page_of(
    token: str,
    status: int = 200,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    """The page of the case that ``token`` names; with what was wrong with each form, and what had been entered."""
    context = house_context()
    with context.database.reading() as session:
        case = session.get(Case, case_number(token))
        if case is None:
            abort(404)
        shown = describe(session, context, case)
        reader, problems = context.links.reader(token), problems or {}
        form = answer_form(session, context, case, problems.get(ANSWERED, ""), given or {}, reader)
        writing = writing_forms(session, context, case, problems, given or {})
        paging = paging_form(session, context, case, reader, problems.get(PAGING, ""))
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        response = jsonify(shown)
    else:
        response = Response(
            render_template("case.html", case=shown, token=token, form=form, writing=writing, paging=paging),
            status,
        )
    return private_page(response)


@case_page.get("/case/<token>/voicemail/<sid>.wav")
def voicemail(token: str, sid: str) -> Response:
    """The audio of one of the case's voicemails."""
    context = house_context()
    with context.database.reading() as session:
        recording = session.scalar(
            sa.select(Recording).where(Recording.sid == sid, Recording.case_id == case_number(token))
        )
    if recording is None or recording.storage_key is None:
        abort(404)
    try:
        audio = context.audio.get(recording.storage_key)
    except OSError:
        abort(404)
    return send_file(
        io.BytesIO(audio), mimetype="audio/wav", conditional=True, etag=recording.sha256 or False
    )


def describe(session: Session, context: Context, case: Case) -> dict[str, Any]:
    """Everything that the page shows, as plain values; instants are ISO 8601 in UTC beside their wording."""
    policy = context.policies.current().policy
    zone = policy.calendar_of(case.service).zone
    engineer = session.get(Person, case.engineer) if case.engineer else None
    number = case.callable_number
    now = context.clock.now()
    tier = policy.tiers.get(case.tier) if case.tier else None
    return {
        "number": case.id,
        "title": case.title,
        "status": case.status,
        "priority": case.priority,
        "service": policy.name_of(None, case.service),
        "customer": case.customer.name if case.customer else None,
        "verified": case.verified,
        "tier": tier.name if tier else None,
        "channel": case.channel,
        "from_address": case.from_address,
        "needs_look": case.needs_look,
        "consent_asked_at": written_instant(case.consent_asked_at, zone) if case.consent_asked_at else None,
        "callback": {"e164": number, "shown": phone_numbers.shown(number)} if number else None,
        "contact_at": written_instant(case.contact_at, zone),
        "target": case.target,
        "due_at": written_instant(case.due_at, zone) if case.due_at else None,
        "left": "" if case.responded_at else time_left(case.due_at, now),
        "late": case.due_at is not None and (case.responded_at or now) > case.due_at,
        "responded_at": written_instant(case.responded_at, zone) if case.responded_at else None,
        "engineer": engineer.name if engineer else None,
        "acknowledgements": acknowledgements_of(session, case),
        "acknowledged_at": written_instant(case.acknowledged_at, zone) if case.acknowledged_at else None,
        "consented_at": written_instant(case.consented_at, zone) if case.consented_at else None,
        "caller_id": _caller_id(session, case),
        "promises": promises_of(session, case, zone),
        "decision": _decision(session, case),
        "voicemails": _voicemails(session, case),
        "messages": _messages(session, case, policy),
        "timeline": [
            {"at": entry.at.isoformat(), "day": f"{entry.at.astimezone(zone):%a %d %b %Y}",
             "clock": f"{entry.at.astimezone(zone):%H:%M:%S}", "kind": entry.kind, "text": entry.text}
            for entry in timeline(session, case)
        ],
    }  # fmt: skip


def _caller_id(session: Session, case: Case) -> str | None:
    """What the carriers say of the calling number; None where they say nothing, or nobody called."""
    decision = decision_of_case(session, case.id)
    verdict = decision.facts.get("stir") if decision is not None else None
    return caller_id_in_words(str(verdict)) if verdict else None


def _decision(session: Session, case: Case) -> dict[str, Any] | None:
    decision = decision_of_case(session, case.id)
    if decision is None:
        return None
    return {
        "outcome": decision.outcome,
        "reasons": decision.reasons,
        "facts": decision.facts,
        "policy_version": decision.policy_version,
        "calendar": decision.calendar_fingerprint,
        "tz_version": decision.tz_version,
    }


def _voicemails(session: Session, case: Case) -> list[dict[str, Any]]:
    recordings = session.scalars(
        sa.select(Recording).where(Recording.case_id == case.id).order_by(Recording.received_at)
    )
    return [
        {
            "sid": recording.sid,
            "seconds": recording.duration_s,
            "stored": recording.storage_key is not None,
            "sha256": recording.sha256,
            "transcript": recording.transcript,
        }
        for recording in recordings
    ]


def _messages(session: Session, case: Case, policy: Policy) -> list[dict[str, Any]]:
    zone = policy.calendar_of(case.service).zone
    messages = session.scalars(
        sa.select(Message).where(Message.case_id == case.id).order_by(Message.at, Message.id)
    )
    kept = set(session.scalars(sa.select(InboundMail.message_row).where(InboundMail.case_id == case.id)))
    mails = session.scalars(sa.select(OutboundMail).where(OutboundMail.case_id == case.id))
    sent = {mail.message_id: mail for mail in mails if mail.message_id is not None}
    kept |= {id for id, mail in sent.items() if mail.kind not in FOR_THE_CUSTOMER_ALONE}
    return [
        {
            "at": written_instant(message.at, zone),
            "author": message.author,
            "body": message.body,
            "public": message.public,
            "mail": mail_in_words(message, message.id in kept, sent.get(message.id)),
        }
        for message in messages
    ]
