"""The catalogue of prompts: every sentence that a caller or an engineer gets, and what may stand in it.

The sentences themselves are data in the policy; this is the list that a policy is checked against.
"""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

_LINE = frozenset({"company", "line"})
_CASE = frozenset({"case", "case_digits", "customer", "tier", "priority"})
_PAGE = _LINE | _CASE | {
    "left", "callback", "transcript", "message", "excerpt", "written", "later", "engineer",
    "link", "due", "others", "it", "waiting",
}  # fmt: skip
_DRILL = _LINE | {"name", "schedule", "shift"}
_RECEIPT = _LINE | {"case", "due"}
_CONSENT = _RECEIPT | {"hours", "accepted_target", "word"}

# key -> placeholders that the sentence may use
CATALOGUE: dict[str, frozenset[str]] = {
    # A caller's way through a line.
    "no_such_line": _LINE,
    "trouble": _LINE,
    "open_greeting": _LINE,
    "nobody_free": _LINE,
    "closed_greeting": _LINE | {"hours", "opening"},
    "closed_greeting_holiday": _LINE | {"hours", "opening", "holiday"},
    "ask_support_id": _LINE,
    "support_id_unknown": _LINE,
    "covered": _LINE | {"tier", "priorities"},
    "not_covered": _LINE | {"tier", "opening"},
    "no_agreement": _LINE | {"opening"},
    "unverified_notify": _LINE,
    "unverified_page": _LINE,
    "unverified_hold": _LINE | {"opening"},
    "ask_priority": _LINE,
    "ask_consent": _LINE | {"accepted_target", "refused_due"},
    "consent_beforehand": _LINE | {"accepted_target"},
    "consent_never": _LINE,
    "not_understood": _LINE,
    "record_page": _LINE | {"target", "due"},
    "record_wait": _LINE | {"target", "due"},
    "record_notify": _LINE,
    "record_plain": _LINE,
    "record_more": _LINE | {"case_digits"},
    "nothing_recorded": _LINE,
    "review": _LINE,
    "ask_callback": _LINE | {"number"},
    "ask_callback_withheld": _LINE,
    "callback_not_understood": _LINE,
    "ask_callback_once_more": _LINE,
    "no_callback": _LINE,
    "case_paged": _LINE | {"case_digits", "due"},
    "case_waits": _LINE | {"case_digits", "due"},
    "case_noted": _LINE | {"case_digits"},
    "message_added": _LINE | {"case_digits"},
    "open_case_has_engineer": _LINE | {"case_digits"},
    "open_case_ringing": _LINE | {"case_digits"},
    "open_case_waits": _LINE | {"case_digits"},
    "ask_open_case": _LINE,
    "ask_open_case_escalate": _LINE,
    "escalated": _LINE | {"case_digits"},
    "goodbye": _LINE,
    # A colleague's phone in the hunt.
    "whisper": _LINE,
    "whisper_goodbye": _LINE,
    # An engineer's page.
    "page_intro": _PAGE,
    "page_transcript": _PAGE,
    "page_excerpt": _PAGE,
    "page_menu": _PAGE,
    "page_accepted": _PAGE,
    "page_acknowledged": _PAGE,
    "page_passed": _PAGE,
    "page_taken": _PAGE,
    "page_over": _PAGE,
    "page_no_voicemail": _PAGE,
    "page_written": _PAGE,
    "page_written_later": _PAGE,
    "page_written_cut": _PAGE,
    "page_no_number": _PAGE,
    "page_connecting": _PAGE,
    "page_reached": _PAGE,
    "page_not_reached": _PAGE,
    "page_withdrawn": _PAGE,
    "page_goodbye": _PAGE,
    # Whoever has a case and has not answered its customer.
    "page_reminder": _PAGE,
    "page_reminder_menu": _PAGE,
    "page_on_it": _PAGE,
    "sms_page": _PAGE,
    "sms_notify": _PAGE,
    "sms_loud": _PAGE,
    "sms_added": _PAGE,
    "sms_remind": _PAGE,
    "sms_broken": _PAGE,
    "sms_relieved": _PAGE,
    "sms_returned": _PAGE,
    "sms_followed": _PAGE,
    "sms_waits": _PAGE,
    "sms_duty": _PAGE,
    "sms_offduty": _PAGE,
    "sms_accepted": _PAGE,
    "sms_acknowledged": _PAGE,
    "sms_passed": _PAGE,
    "sms_taken": _PAGE,
    # The test page before a shift.
    "drill_intro": _DRILL,
    "drill_proved": _DRILL,
    "sms_drill": _DRILL,
    "sms_drill_proved": _DRILL,
    "sms_unreached": _DRILL,
    "note_title_drill": _DRILL,
    # By mail and by chat: the title, and the words of an urgent and of a quiet message.
    "note_title": _PAGE,
    "note_title_loud": _PAGE,
    "note_urgent": _PAGE | {"said"},
    "note_quiet": _PAGE | {"said"},
    "note_remind": _PAGE | {"said"},
    "sms_no_page": _LINE | {"case"},
    "sms_help": _LINE,
    # What a customer is told without asking, by text or by mail.
    "receipt_opened_paged": _RECEIPT,
    "receipt_opened_waits": _RECEIPT,
    "receipt_opened_noted": _LINE | {"case"},
    "receipt_reply": _LINE,
    "receipt_accepted": _LINE | {"case", "engineer"},
    "receipt_accepted_noted": _LINE | {"case"},
    "receipt_subject_opened": _LINE | {"case"},
    "receipt_subject_accepted": _LINE | {"case"},
    # What the customer of a mail is told by mail; {line} is the mailbox.
    "mail_opened_paged": _RECEIPT,
    "mail_opened_waits": _RECEIPT,
    "mail_opened_noted": _LINE | {"case"},
    "mail_opened_never": _RECEIPT,
    "mail_opened_not_entitled": _RECEIPT,
    "mail_reopened_paged": _RECEIPT,
    "mail_reopened_waits": _RECEIPT,
    "mail_reopened_noted": _LINE | {"case"},
    "mail_accepted": _LINE | {"case", "engineer"},
    "mail_accepted_noted": _LINE | {"case"},
    # Additional charges: the question, its terms (which the page behind the link shows as well), what follows.
    "mail_consent_ask": _CONSENT | {"terms", "link", "until"},
    "mail_sender_ask": _CONSENT | {"terms", "link", "until"},
    "mail_sender_given": _RECEIPT | {"accepted"},
    "mail_consent_terms": _LINE,
    "mail_consent_given": _RECEIPT | {"accepted"},
    "mail_consent_unclear": _LINE | {"case", "word", "link"},
    # Around an engineer's answer.
    "mail_reply_foot": _LINE | {"case", "engineer"},
    "mail_quoted": _LINE | {"at", "name"},
    # An engineer's own mail, and what became of it.
    "note_answer": _LINE | {"case", "marker"},
    "note_no_answer": _LINE,
    "mail_not_sent_subject": _LINE | {"case"},
    "mail_not_sent": _LINE | {"case", "why"},
    "mail_stranger": _LINE | {"case", "name"},
    # The answer to a customer's text.
    "text_added": _LINE | {"case", "phone"},
    "text_opened_waits": _RECEIPT | {"phone"},
    "text_opened_noted": _LINE | {"case", "phone"},
}


def placeholders(text: str) -> set[str]:
    """The names in braces in ``text``; ValueError where the braces do not match."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def mistakes_in(key: str, text: str) -> list[str]:
    """What is wrong with a sentence, in words."""
    if key not in CATALOGUE:
        return [f"no prompt has the name {key!r}"]
    try:
        used = placeholders(text)
    except ValueError as error:
        return [f"the braces do not match: {error}"]
    allowed = CATALOGUE[key]
    named = ", ".join(sorted(allowed)) or "none"
    mistakes = [f"{{{name}}} means nothing here; known: {named}" for name in sorted(used - allowed)]
    if any(spec or conversion for _, _, spec, conversion in string.Formatter().parse(text)):
        mistakes.append("a placeholder is a name in braces and nothing more, such as {company}")
    return mistakes


@cache
def shipped_sentence(key: str) -> str:
    """The sentence of the shipped sample, for a policy that is older than the sentence."""
    sample = Path(__file__).parent / "samples" / "agreement.yaml"
    return str(YAML(typ="safe").load(sample)["prompts"][key])
