"""Mail on its way to the product: tried again while it is refused for now, as a mail server does. In memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from simulator.mail.delivering import Carrier, Replies
from simulator.mail.letters import DELIVERED, GIVEN_UP, REFUSED, WAITING, Delivery, Envelope, Reply
from simulator.scheduler import LiveScheduler, VirtualScheduler

# A mail server waits minutes at first; whoever sits at this desk should not have to.
RETRY_AFTER_S = (2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0)


@dataclass(eq=False)
class Parcel:
    """One envelope for the product, and what has become of each recipient."""

    envelope: Envelope
    deliveries: Sequence[Delivery]


class Spool:
    """``attempted(parcel, delivery, reply)`` is told of every attempt, ``given_up`` of a recipient's last."""

    def __init__(
        self,
        scheduler: VirtualScheduler | LiveScheduler,
        carrier: Carrier,
        attempted: Callable[[Parcel, Delivery, Reply], None],
        given_up: Callable[[Parcel, Delivery, Reply], None],
    ) -> None:
        self._scheduler, self._carrier = scheduler, carrier
        self._attempted, self._given_up = attempted, given_up
        self.retry_after: Sequence[float] = RETRY_AFTER_S

    def send(self, parcel: Parcel) -> None:
        self._try(parcel, parcel.deliveries)

    def hurry(self, parcel: Parcel) -> None:
        """Try now what waits for its time."""
        self._try(parcel, [each for each in parcel.deliveries if each.next_at is not None])

    def _try(self, parcel: Parcel, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        for delivery in deliveries:
            delivery.next_at = None
        recipients = tuple(each.recipient for each in deliveries)
        envelope = Envelope(parcel.envelope.sender, recipients, parcel.envelope.raw)
        self._carrier.carry(envelope, lambda replies: self._tried(parcel, deliveries, replies))

    def _tried(self, parcel: Parcel, deliveries: Sequence[Delivery], replies: Replies) -> None:
        for delivery in deliveries:
            reply = replies[delivery.recipient]
            delivery.attempts.append((self._scheduler.now(), reply))
            if reply.is_good:
                delivery.state = DELIVERED
            elif reply.is_final:
                delivery.state = REFUSED
            elif len(delivery.attempts) > len(self.retry_after):
                delivery.state = GIVEN_UP
            else:
                self._later(parcel, delivery)
            self._attempted(parcel, delivery, reply)
            if delivery.state in {REFUSED, GIVEN_UP}:
                self._given_up(parcel, delivery, reply)

    def _later(self, parcel: Parcel, delivery: Delivery) -> None:
        wait, tries = self.retry_after[len(delivery.attempts) - 1], len(delivery.attempts)
        delivery.next_at = self._scheduler.now() + timedelta(seconds=wait)

        def again() -> None:
            # Somebody may have been impatient.
            if delivery.state == WAITING and delivery.next_at is not None and len(delivery.attempts) == tries:
                self._try(parcel, [delivery])

        self._scheduler.after(wait, again)
