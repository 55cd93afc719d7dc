"""The states of a page: a table of what may follow what. Pure."""

from __future__ import annotations

import enum


class PageState(enum.StrEnum):
    """Where a page stands."""

    RINGING = "ringing"
    JOINED = "joined"  # it rings with another page, its lead
    ACKNOWLEDGED = "acknowledged"  # somebody has the case; they may still let go of it
    HANDED_ON = "handed-on"  # somebody had the case, and another page or person has it since
    CANCELLED = "cancelled"  # it was answered or closed before anybody accepted

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the page."""
        return self in (PageState.HANDED_ON, PageState.CANCELLED)


class PageEvent(enum.StrEnum):
    """What can happen to a page."""

    STEP_TAKEN = "step-taken"  # time over, nobody left to call, or passed on: the next step rings
    ACKNOWLEDGED_BY_ONE = "acknowledged-by-one"  # of several who must
    ACCEPTED = "accepted"
    CALLED_OFF = "called-off"  # the customer was answered, or the case closed
    LEFT_ALONE = "left-alone"  # by its lead, or because it became more urgent: it rings for itself
    TAKEN_OVER = "taken-over"  # by somebody else, from whoever had it
    LET_GO = "let-go"  # by whoever accepted: passed on, or taken over by somebody else


# Whatever is not listed changes nothing: it came too late.
TABLE: dict[tuple[PageState, PageEvent], PageState] = {
    (PageState.RINGING, PageEvent.STEP_TAKEN): PageState.RINGING,
    (PageState.RINGING, PageEvent.ACKNOWLEDGED_BY_ONE): PageState.RINGING,
    (PageState.RINGING, PageEvent.ACCEPTED): PageState.ACKNOWLEDGED,
    (PageState.RINGING, PageEvent.CALLED_OFF): PageState.CANCELLED,
    (PageState.JOINED, PageEvent.ACCEPTED): PageState.ACKNOWLEDGED,
    (PageState.JOINED, PageEvent.CALLED_OFF): PageState.CANCELLED,
    (PageState.JOINED, PageEvent.LEFT_ALONE): PageState.RINGING,
    (PageState.ACKNOWLEDGED, PageEvent.TAKEN_OVER): PageState.ACKNOWLEDGED,
    (PageState.ACKNOWLEDGED, PageEvent.LET_GO): PageState.HANDED_ON,
}


def after(state: PageState, event: PageEvent) -> PageState | None:
    """The state that follows; None when ``event`` comes too late to change anything."""
    return TABLE.get((state, event))
