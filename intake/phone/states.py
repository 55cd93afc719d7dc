"""What a phone call waits for, what can happen on it, and what is then done: the words of its table."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """What the call is waiting for."""

    NEW = "new"
    HUNT = "hunt"
    SUPPORT_ID = "support-id"
    OPEN_CASE = "open-case"
    PRIORITY = "priority"
    CONSENT = "consent"
    RECORDING = "recording"
    REVIEW = "review"
    CALLBACK = "callback"
    ENDED = "ended"


class Event(enum.StrEnum):
    """What happened on the call."""

    CALLED = "called"
    KEY_1 = "key-1"
    KEY_2 = "key-2"
    KEY_3 = "key-3"
    KEY_9 = "key-9"
    OTHER_KEY = "other-key"
    NO_KEY = "no-key"
    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not-identified"
    SKIPPED = "skipped"
    NUMBER = "number"
    NOT_A_NUMBER = "not-a-number"
    RECORDED = "recorded"
    RECORDED_AND_GONE = "recorded-and-gone"
    SILENT = "silent"
    TAKEN = "taken"
    NOT_TAKEN = "not-taken"
    GONE = "gone"


class Act(enum.StrEnum):
    """What is done, in the transaction that answers the call."""

    TRY_AGAIN = "try-again"
    HUNT_NEXT = "hunt-next"
    CHOOSE = "choose"
    ASSUME = "assume"
    CONSENT = "consent"
    ADD_TO_CASE = "add-to-case"
    REPORT_NEW = "report-new"
    ESCALATE = "escalate"
    SEND = "send"
    SET_CALLBACK = "set-callback"
    HANG_UP = "hang-up"
    AWAIT_RECORDING = "await-recording"
