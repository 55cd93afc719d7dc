"""The post office: mail from the product into people's mailboxes, and from people to the product.

In a test (virtual time)::

    office = PostOffice(VirtualScheduler(start), deliver=Listener("smtp://127.0.0.1:2525"))
    counter = listen(office, port)  # what the product hands over there arrives in the mailboxes
    office.line("managed-services@bell.example", "Managed Services")
    office.send(Draft(("Grace", "grace@harbor.example"), [("", "managed-services@bell.example")], text="Help"))
    receipt = office.mailbox("grace@harbor.example").received[-1].mail
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.events import EventLog
from simulator.mail import composing
from simulator.mail.composing import Draft, Failure
from simulator.mail.delivering import Carrier, InlineCarrier, PooledCarrier, Replies
from simulator.mail.letters import DELIVERED, GIVEN_UP, Delivery, Envelope, Letter, Reply
from simulator.mail.mailboxes import Directory, Mailbox
from simulator.mail.manners import Bounces, Defers, Manner, OutOfOffice, Refuses
from simulator.mail.spool import Parcel, Spool
from simulator.mail.stamping import stamped
from simulator.scheduler import LiveScheduler, VirtualScheduler

MOST_LETTERS = 2000  # in a mailbox: the oldest are forgotten, for all of them are in memory
_TAKEN = Reply(250, "2.1.5 OK")


@dataclass(frozen=True)
class Passage:
    """One recipient's part in an SMTP conversation; ``way``: in (from the product) or out (to it)."""

    at: datetime
    way: str
    sender: str
    recipient: str
    reply: Reply


class PostOffice:
    """Everything here runs on the engine's thread; ``deliver`` is called on another one in real time.

    ``name`` is the post office's as a mail server: in its greeting, its reports, and what it says of senders.
    ``seed`` makes the ids and Message-IDs: give another one to each office that the same product will see.
    """

    def __init__(
        self,
        scheduler: VirtualScheduler | LiveScheduler,
        deliver: Callable[[Envelope], Replies],
        events: EventLog | None = None,
        *,
        name: str = "mx.example",
        seed: str = "story",
    ) -> None:
        self.scheduler, self.name = scheduler, name
        self.events = events or EventLog()
        self.directory = Directory()
        self.letters: dict[str, Letter] = {}
        self.passages: deque[Passage] = deque(maxlen=1000)
        self.spool = Spool(scheduler, _carrier(scheduler, deliver), self._attempted, self._undeliverable)
        self._parcels: dict[str, Parcel] = {}
        self._seed, self._count = seed, 0

    # -- the world -----------------------------------------------------------------------------------------

    def line(self, address: str, name: str = "") -> None:
        """An address of the product's."""
        self.directory.add_line(address, name)
        self._emit(address)

    def mailbox(self, address: str) -> Mailbox:
        return self.directory.mailbox(address)

    def describe(self, address: str, **about: str) -> Mailbox:
        """Open a mailbox, if there is none, and say whose it is: ``name``, ``role``, ``note``."""
        mailbox = self.mailbox(address)
        for name, value in about.items():
            setattr(mailbox, name, value)
        self._emit(mailbox.address)
        return mailbox

    def behave(self, address: str, manner: Manner) -> Mailbox:
        """From now on, and as if nothing had come before."""
        mailbox = self.mailbox(address)
        mailbox.manner, mailbox.deferred, mailbox.answered = manner, 0, {}
        self._emit(mailbox.address)
        return mailbox

    def read(self, letter: Letter) -> None:
        """Its owner has looked at it."""
        if not letter.is_read:
            letter.is_read = True
            self._emit(letter.mailbox)

    # -- from the product ----------------------------------------------------------------------------------

    def refusal(self, sender: str, address: str) -> Reply | None:
        """What a mailbox says at once to a mail that it does not take."""
        if self.directory.is_products(address):
            return None
        mailbox = self.mailbox(address)
        if not isinstance(mailbox.manner, Refuses | Defers):
            return None
        refused = mailbox.manner.refusal(mailbox.deferred)
        if refused is not None:
            mailbox.deferred += 1
            self._pass("in", sender, address, refused)
        return refused

    def take(self, envelope: Envelope) -> str:
        """A mail of which every recipient was accepted; the number under which it is kept."""
        for recipient in envelope.recipients:
            self._pass("in", envelope.sender, recipient, _TAKEN)
            single = Envelope(envelope.sender, (recipient,), envelope.raw)
            if self.directory.is_products(recipient):
                self._post(single, [Delivery(recipient)])
            else:
                self._deposit(self.mailbox(recipient), single)
        return str(self._count)

    def _deposit(self, mailbox: Mailbox, envelope: Envelope) -> None:
        letter = self._keep(
            mailbox, Letter(self._new_id(), mailbox.address, "received", envelope, self.now())
        )
        manner = mailbox.manner
        if isinstance(manner, Bounces) and envelope.sender:
            failure = Failure(envelope.recipients[0], manner.status, f"550 {manner.status} {manner.text}")
            self.scheduler.after(manner.after, lambda: self._return(envelope, failure))
        elif isinstance(manner, OutOfOffice):
            self.scheduler.after(manner.after, lambda: self._say_away(mailbox, letter, manner))

    def _say_away(self, mailbox: Mailbox, letter: Letter, manner: OutOfOffice) -> None:
        to, today = composing.whom_to_tell(letter, manner), self.now().date()
        if not to or (manner.polite and mailbox.answered.get(to) == today):
            return
        mailbox.answered[to] = today
        raw = composing.out_of_office(letter, manner, to, self.new_message_id(mailbox.address), self.now())
        self._send(mailbox, Envelope("" if manner.polite else mailbox.address, (to,), raw))

    # -- from people ---------------------------------------------------------------------------------------

    def send(self, draft: Draft, *, envelope_from: str | None = None) -> Letter:
        """A person sends what they wrote; ``envelope_from`` if not their own. Raises CannotWrite."""
        sender = draft.sender[1] if envelope_from is None else envelope_from
        raw = composing.written(draft, self.new_message_id(draft.sender[1]), self.now())
        return self._send(self.mailbox(draft.sender[1]), Envelope(sender, draft.recipients, raw))

    def send_raw(self, envelope: Envelope, owner: str) -> Letter:
        """Send bytes as they are, but for their line ends; in ``owner``'s mailbox they stand as sent."""
        raw = composing.with_crlf(envelope.raw)
        return self._send(self.mailbox(owner), Envelope(envelope.sender, envelope.recipients, raw))

    def hurry(self, letter: Letter) -> None:
        """Try now what waits for its time."""
        if letter.id in self._parcels:
            self.spool.hurry(self._parcels[letter.id])

    def _send(self, mailbox: Mailbox, envelope: Envelope) -> Letter:
        if not envelope.recipients:
            raise composing.CannotWrite("nobody to send it to: give an address in To")
        outside = [Delivery(each) for each in envelope.recipients if self.directory.is_products(each)]
        inside = [each for each in envelope.recipients if not self.directory.is_products(each)]
        deliveries = [*outside, *(Delivery(each, DELIVERED) for each in inside)]
        letter = Letter(self._new_id(), mailbox.address, "sent", envelope, self.now(), True, deliveries)
        self._keep(mailbox, letter)
        for recipient in inside:
            self._deposit(self.mailbox(recipient), Envelope(envelope.sender, (recipient,), envelope.raw))
        if outside:
            self._parcels[letter.id] = self._post(envelope, outside)
        return letter

    def _post(self, envelope: Envelope, deliveries: Sequence[Delivery]) -> Parcel:
        parcel = Parcel(stamped(envelope, self.name, self.now()), deliveries)
        self.spool.send(parcel)
        return parcel

    # -- on the way ----------------------------------------------------------------------------------------

    def _attempted(self, parcel: Parcel, delivery: Delivery, reply: Reply) -> None:
        self._pass("out", parcel.envelope.sender, delivery.recipient, reply)

    def _undeliverable(self, parcel: Parcel, delivery: Delivery, reply: Reply) -> None:
        status = "4.4.7" if delivery.state == GIVEN_UP else composing.status_in(reply.text)
        self._return(parcel.envelope, Failure(delivery.recipient, status, str(reply)))

    def _return(self, envelope: Envelope, failure: Failure) -> None:
        """A report to the sender; of what must not be bounced there is none."""
        if not envelope.sender:
            return
        message_id = self.new_message_id(f"mailer-daemon@{self.name}")
        returned = composing.report(envelope, failure, self.name, message_id, self.now())
        if self.directory.is_products(envelope.sender):
            self._post(returned, [Delivery(envelope.sender)])
        else:
            self._deposit(self.mailbox(envelope.sender), returned)

    # -- bookkeeping ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.scheduler.now()

    def new_message_id(self, address: str) -> str:
        return f"<{self._new_id()}@{address.rpartition('@')[2]}>"

    def _new_id(self) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._seed}:mail:{self._count}".encode()).hexdigest()[:24]

    def _keep(self, mailbox: Mailbox, letter: Letter) -> Letter:
        mailbox.letters.append(letter)
        self.letters[letter.id] = letter
        if len(mailbox.letters) > MOST_LETTERS:
            self._forget(mailbox.letters.pop(0))
        self._emit(mailbox.address)
        return letter

    def _forget(self, letter: Letter) -> None:
        self.letters.pop(letter.id, None)
        self._parcels.pop(letter.id, None)

    def _pass(self, way: str, sender: str, recipient: str, reply: Reply) -> None:
        self.passages.append(Passage(self.now(), way, sender, recipient, reply))
        self._emit(recipient)

    def _emit(self, address: str) -> None:
        self.events.add(self.now(), "mail", {"address": address})


def _carrier(scheduler: VirtualScheduler | LiveScheduler, deliver: Callable[[Envelope], Replies]) -> Carrier:
    if isinstance(scheduler, LiveScheduler):
        return PooledCarrier(scheduler, deliver)
    return InlineCarrier(deliver)
