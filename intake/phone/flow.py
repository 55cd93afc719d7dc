"""The phone call as a table: (state, event) and what is known lead to what is said, what comes next, what is done.

Pure: no database, no request, no clock. A pair that the table does not list leads to a voicemail, never to an
error.
"""

from __future__ import annotations

from intake.phone import rules
from intake.phone.facts import Facts, Step
from intake.phone.states import Event, State
from routing.coverage import Consent

S, E = State, Event
TABLE: dict[tuple[State, Event], rules.Rule] = {
    (S.NEW, E.CALLED): rules.called,
    (S.HUNT, E.TAKEN): rules.taken,
    (S.HUNT, E.NOT_TAKEN): rules.hunt_on,
    (S.SUPPORT_ID, E.IDENTIFIED): rules.promise,
    (S.SUPPORT_ID, E.NOT_IDENTIFIED): rules.ask_id_again,
    (S.SUPPORT_ID, E.NO_KEY): rules.ask_id_again,
    (S.SUPPORT_ID, E.SKIPPED): rules.promise,
    (S.OPEN_CASE, E.KEY_1): rules.add,
    (S.OPEN_CASE, E.KEY_2): rules.report_new,
    (S.OPEN_CASE, E.KEY_9): rules.escalate,
    (S.OPEN_CASE, E.OTHER_KEY): rules.again(rules.open_case, rules.add),
    (S.OPEN_CASE, E.NO_KEY): rules.again(rules.open_case, rules.add),
    (S.PRIORITY, E.KEY_1): rules.choose(1),
    (S.PRIORITY, E.KEY_2): rules.choose(2),
    (S.PRIORITY, E.KEY_3): rules.choose(3),
    (S.PRIORITY, E.OTHER_KEY): rules.again(rules.ask_priority, rules.assume),
    (S.PRIORITY, E.NO_KEY): rules.again(rules.ask_priority, rules.assume),
    (S.CONSENT, E.KEY_1): rules.consented(Consent.ACCEPTED),
    (S.CONSENT, E.KEY_2): rules.consented(Consent.REFUSED),
    (S.CONSENT, E.OTHER_KEY): rules.again(rules.ask_consent, rules.consented(Consent.REFUSED)),
    (S.CONSENT, E.NO_KEY): rules.again(rules.ask_consent, rules.consented(Consent.REFUSED)),
    (S.RECORDING, E.RECORDED): rules.review,
    (S.RECORDING, E.RECORDED_AND_GONE): rules.send_and_end,
    (S.RECORDING, E.SILENT): rules.heard_nothing,
    (S.RECORDING, E.GONE): rules.gone_while_recording,
    (S.REVIEW, E.KEY_1): rules.send,
    (S.REVIEW, E.NO_KEY): rules.send,
    (S.REVIEW, E.KEY_2): rules.record_again,
    (S.REVIEW, E.OTHER_KEY): rules.again(rules.review, rules.send),
    (S.REVIEW, E.GONE): rules.send_and_end,
    (S.CALLBACK, E.KEY_1): rules.callback_confirmed,
    (S.CALLBACK, E.NO_KEY): rules.callback_confirmed,
    (S.CALLBACK, E.NUMBER): rules.callback_changed,
    (S.CALLBACK, E.NOT_A_NUMBER): rules.callback_again,
    (S.CALLBACK, E.GONE): rules.nothing_more,
    (S.ENDED, E.GONE): rules.nothing_more,
    # The hang-up's own callback may overtake the request that brings the recording.
    (S.ENDED, E.RECORDED): rules.send_and_end,
    (S.ENDED, E.RECORDED_AND_GONE): rules.send_and_end,
    **{
        (state, E.GONE): rules.hung_up
        for state in (S.NEW, S.HUNT, S.SUPPORT_ID, S.OPEN_CASE, S.PRIORITY, S.CONSENT)
    },
}


_KEYS = frozenset({E.KEY_1, E.KEY_2, E.KEY_3, E.KEY_9})


def step(state: State, event: Event, facts: Facts) -> Step:
    """What follows when ``event`` comes in ``state``. A key that its menu does not have is a wrong key."""
    if event in _KEYS and (state, event) not in TABLE:
        event = E.OTHER_KEY
    return TABLE.get((state, event), rules.to_voicemail)(facts)
