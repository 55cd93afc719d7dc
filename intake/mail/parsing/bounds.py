"""How much of a mail is looked at. Every bound keeps the work linear in the size of the mail, and small.

What lies beyond a bound is never lost: the caller keeps the raw bytes, the text that was cut stays in an
attachment, and ``ParsedMail.problems`` names what was left out.
"""

from __future__ import annotations

DEPTH = 50
"""Parts inside parts; what is nested deeper stays one part, as it was sent."""
PARTS = 1_000
"""Parts of a mail; the rest is read as one last text."""
HEADER_BLOCK = 2_500_000
"""Bytes of one part's header block that are looked at."""
HEADER_KEPT = 256_000
"""Bytes of header fields that are kept for a whole mail."""
FIELD = 250_000
"""Bytes of one header field."""
FIELDS = 2_000
"""Header fields of one part."""
LINE = 1_000
"""Characters of a subject, a display name and other things of one line."""
ADDRESSES = 5_000
"""Addresses of one header field."""
IDS = 500
"""Message-IDs of one header field."""
TEXT = 1_500_000
"""Characters of text; the whole of a longer one is an attachment."""
HTML = 1_000_000
"""Characters of HTML that is made safe."""
LINKS = 5_000
"""Links of an HTML body; one with more is shown as a notice and its text."""
GUESSES = 8
"""Charsets that are guessed for one mail. Guessing is slow; what comes after is read as Windows-1252."""
GUESS_SAMPLE = 8_000
"""Bytes that a guess looks at."""
NAME = 150
"""Characters of an attachment's name."""
TNEF = 30_000_000
"""Bytes of a winmail.dat that is unpacked."""
FOLDED_LINES = 20_000
"""Lines of a text that are looked at for quotations; what follows counts as the last of them does."""
