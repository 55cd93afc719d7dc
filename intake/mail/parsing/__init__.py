"""From bytes to message: what a mail says, whoever wrote it and however broken it is. Pure."""

from intake.mail.parsing.addresses import Address
from intake.mail.parsing.bounces import Bounce
from intake.mail.parsing.model import Attachment, ParsedMail
from intake.mail.parsing.reading import Envelope, read_mail, read_mail_safely
from intake.mail.parsing.verdicts import Kind, Ours, Verdict

__all__ = [
    "Address",
    "Attachment",
    "Bounce",
    "Envelope",
    "Kind",
    "Ours",
    "ParsedMail",
    "Verdict",
    "read_mail",
    "read_mail_safely",
]
