"""Text as it is read: line ends made one kind, and paragraphs of format=flowed joined (RFC 3676)."""

from __future__ import annotations


def plain_lines(text: str) -> str:
    """With ``\\n`` for every kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def unflow(text: str, *, delsp: bool) -> str:
    """Paragraphs of format=flowed as one line each.

    Quoted lines are left as they stand: they are folded away, and a quoted line that was broken wrongly by
    somebody's program cannot be told from one that flows.
    """
    out: list[str] = []
    paragraph: list[str] = []
    for line in text.split("\n"):
        quoted = line.startswith(">")
        line = line[1:] if line.startswith(" ") else line
        if paragraph and (quoted or not line or line == "-- "):
            out.append("".join(paragraph))
            paragraph = []
        if not quoted and line.endswith(" ") and line != "-- ":
            paragraph.append(line[:-1] if delsp else line)
        else:
            out.append("".join(paragraph) + line)
            paragraph = []
    if paragraph:
        out.append("".join(paragraph))
    return "\n".join(out)
