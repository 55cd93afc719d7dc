"""How far a mail has come: a table of states and of what happens to them."""

from __future__ import annotations

import enum

from core.state_tables import state_after


class MailState(enum.StrEnum):
    """Where a mail stands."""

    WAITING = "waiting"
    SENDING = "sending"  # written before the server is spoken to: it may or may not have happened
    SENT = "sent"  # a server has taken it for everybody who can get it
    BOUNCED = "bounced"  # taken, and then reported as undeliverable for everybody
    FAILED = "failed"  # refused for everybody, or given up
    SUPPRESSED = "suppressed"  # not sent after all: nobody needs it any more, or it must not go there

    @property
    def is_under_way(self) -> bool:
        """Whether there is something left to send."""
        return self in (MailState.WAITING, MailState.SENDING)


class MailEvent(enum.StrEnum):
    """What happens to a mail."""

    BEGUN = "begun"  # a worker speaks to the server
    TAKEN = "taken"
    PUT_OFF = "put-off"  # the server wants to be asked again later, for all or some recipients
    REFUSED = "refused"  # for everybody and for good; or given up
    HELD_BACK = "held-back"
    RETURNED = "returned"  # a report says that nobody can get it


S, E = MailState, MailEvent
TABLE: dict[tuple[MailState, MailEvent], MailState] = {
    (S.WAITING, E.BEGUN): S.SENDING,
    (S.WAITING, E.REFUSED): S.FAILED,
    (S.WAITING, E.HELD_BACK): S.SUPPRESSED,
    (S.WAITING, E.RETURNED): S.BOUNCED,  # some had got it before the rest was put off
    (S.SENDING, E.BEGUN): S.SENDING,  # by the worker that takes over from a dead one
    (S.SENDING, E.TAKEN): S.SENT,
    (S.SENDING, E.PUT_OFF): S.WAITING,
    (S.SENDING, E.REFUSED): S.FAILED,
    (S.SENDING, E.RETURNED): S.BOUNCED,  # the report was quicker than our note that it was taken
    (S.SENT, E.RETURNED): S.BOUNCED,
    (S.BOUNCED, E.TAKEN): S.BOUNCED,
    (S.BOUNCED, E.PUT_OFF): S.BOUNCED,
    (S.BOUNCED, E.REFUSED): S.BOUNCED,
    (S.BOUNCED, E.RETURNED): S.BOUNCED,
    (S.FAILED, E.RETURNED): S.FAILED,
}


def after(state: MailState, event: MailEvent) -> MailState:
    """The state that ``event`` leads to; :class:`Unlisted` if it cannot happen."""
    return state_after(TABLE, state, event, "mail")
