"""Whether an automatic mail may go to somebody. Pure: facts in, a reason against it out.

No machine, list or mailbox of ours is answered (RFC 3834, 2), nobody whose sender is forged, and nobody too often:
two programs that answer each other must come to an end whatever marks they leave out.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.contact_methods import Limits


@dataclass(frozen=True)
class Addressee:
    """What is known of whom an automatic mail would go to.

    ``machine`` is the code of why their mail is believed to be a machine's. ``sent`` and ``sent_alike`` count the
    automatic mails to them, and those with the same subject, within the limits' time.
    """

    address: str | None
    wanted: bool = True
    mail_works: bool = True
    ours: bool = False
    machine: str = ""
    forged: bool = False
    unread: bool = False
    no_mail_reason: str | None = None
    sent: int = 0
    sent_alike: int = 0


def why_not(to: Addressee, limits: Limits) -> str | None:
    """Why no automatic mail goes out, in words; None if one may."""
    found = {
        "the mailbox sends none": not to.wanted,
        "no mail address is known": not to.address,
        "the address is one of our own": to.ours,
        f"a machine wrote ({to.machine})": bool(to.machine),
        "the sender may be forged": to.forged,
        "the mail could not be read, and might be a machine's": to.unread,
        f"mail to the address comes back: {to.no_mail_reason}": to.no_mail_reason is not None,
        "the address has got too many automatic mails": to.sent >= limits.automatic_mails,
        "the address has got too many automatic mails with this subject": (
            to.sent_alike >= limits.automatic_mails_alike
        ),
        "no mail server is set": not to.mail_works,
    }
    return next((reason for reason, holds in found.items() if holds), None)
