"""What was asked by mail is accepted: stored, the consultant rung, and confirmed by mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from routing.consents import accept_consent
from routing.context import Context
from routing.correspondence import automatic
from routing.correspondence.consents import Standing, standing, words
from routing.correspondence.desk import desk_of
from routing.correspondence.letters import Party
from routing.correspondence.models import ConsentAbout, ConsentRequest, ConsentState, MailKind
from routing.wording import written_instant


def accept(session: Session, context: Context, request: ConsentRequest, via: str, now: datetime) -> Standing:
    """The answer is yes, ``via`` "link" or "mail"; what stood in the way otherwise. ``request`` is locked.

    Everything of it is one transaction of the caller's.
    """
    current = context.policies.current()
    case = request.case
    session.refresh(case)
    found = standing(request, case, current.policy.calendar_of(case.service), now)
    if found is not Standing.OPEN:
        return found
    if not accept_consent(session, case, now, current, now, via=via):
        return Standing.NOT_NEEDED
    request.state, request.accepted_at, request.accepted_via = ConsentState.ACCEPTED, now, via
    desk = desk_of(context, current.policy, case)
    if desk is not None:
        accepted = written_instant(now, current.policy.calendar_of(case.service).zone)
        given = "mail_consent_given" if request.about == ConsentAbout.CHARGES else "mail_sender_given"
        text = desk.say(given, **words(context, desk, case, request), accepted=accepted)
        asked = Party("", request.address)
        automatic.tell(session, context, case, desk, MailKind.CONSENT_ANSWER, text, now, to=asked)
    return Standing.OPEN
