"""What is known of a mail when it is decided on: what it says, whose it is, and the rules that hold."""

from __future__ import annotations

from dataclasses import dataclass

from core import due
from intake import callers
from intake.callers import Caller
from intake.cases import MailParts
from intake.mail.models import InboundMail
from intake.mail.parsing import Kind, ParsedMail
from intake.mail.parsing.authentication import Method
from intake.mail.said import Said, said_in
from intake.mail.topics import topic_key
from intake.mail.trust import trust_in
from intake.mail.urgency import asked_with
from routing.context import Context
from routing.coverage import Consent, ContactFacts
from routing.coverage_mail import FORGED
from routing.mailboxes import Mailbox
from routing.policies import CurrentPolicy

CHANNEL = "mail"
QUIET = "quiet"  # a way in: old mail out of files, for which nobody is answered, told or rung
_TERMS = {"beforehand": Consent.BEFOREHAND, "never": Consent.NEVER}


@dataclass(frozen=True)
class Filing:
    """A mail on its way. ``sender`` and ``topic`` as they are compared, ``key`` the mailbox's."""

    row: InboundMail
    mail: ParsedMail
    said: Said
    caller: Caller
    trust: str
    sender: str
    topic: str | None
    key: str
    box: Mailbox
    current: CurrentPolicy

    @property
    def is_heard(self) -> bool:
        """Whether somebody has something to say, be it a machine: an automatic reply, and old mail, wakes nobody."""
        return self.mail.verdict.may_reopen and self.row.via != QUIET

    @property
    def parts(self) -> MailParts:
        """The mail as a message of its case."""
        author = "system" if self.mail.verdict.kind is Kind.BOUNCE else "customer"
        return MailParts(self.said.mail_message_id, self.said.html, self.said.details, author)

    @property
    def facts(self) -> ContactFacts:
        """The facts as decisions take them."""
        caller, urgent = self.caller, self.is_heard and not self.mail.damaged
        return ContactFacts(
            at=self.row.received_at,
            channel=CHANNEL,
            service=self.box.service,
            mailbox=self.key,
            customer=caller.customer,
            customer_key=caller.customer_key,
            identified_by=caller.identified_by,
            tier=caller.tier if self.is_heard else None,
            consent=_TERMS.get(caller.consent_terms),
            sender=self.trust,
            asked_with=asked_with(self.mail, self.box.urgent) if urgent else None,
            entitled=caller.may_request_priority_1 or None,
            automatic=not self.mail.verdict.may_reopen or None,
            imported=self.row.via == QUIET or None,
        )


def filing_of(context: Context, row: InboundMail, mail: ParsedMail) -> Filing:
    """All of it, under the current policy; :class:`due.TryAgain` while that has no mailbox."""
    current = context.policies.current()
    boxes = current.policy.mailboxes
    key = row.mailbox if row.mailbox in boxes else next(iter(boxes), None)
    if key is None:
        raise due.TryAgain("the policy has no mailbox; add one under mailboxes, and the mail is taken in")
    box = boxes[key]
    own = None if row.authentication is None else [Method(**each) for each in row.authentication]  # type: ignore[arg-type]
    trust = trust_in(mail, own)
    sender = mail.sender.key if mail.sender else ""
    day = row.received_at.astimezone(current.policy.calendar_of(box.service).zone).date()
    caller = Caller() if trust == FORGED else callers.by_address(current.directory, sender, box.service, day)
    said = said_in(mail, trust, own)
    if row.via == QUIET:
        said.details["verdict"]["may_answer"] = False
    return Filing(row, mail, said, caller, trust, sender, topic_key(mail.subject), key, box, current)
