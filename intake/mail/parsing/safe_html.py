"""HTML that a console may show: no script, no form, nothing fetched from elsewhere; and its text.

Images of other hosts are taken out (their description stays), ``cid:`` references and pictures inside the mail
stay. Some markup makes any HTML5 parser work in the square of its size; such a body is shown as its text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from intake.mail.parsing import bounds

_TAGS = {
    "a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption",
    "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li",
    "main", "map", "mark", "nav", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u",
    "ul", "var", "wbr",
}  # fmt: skip
_GONE = {"script", "style", "title", "noembed", "noframes", "template", "math", "svg", "object", "applet"}
_ATTRIBUTES = {
    "*": {"dir", "lang", "align", "valign", "bgcolor", "style", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "size"},
    "td": {"colspan", "rowspan", "width"},
    "th": {"colspan", "rowspan", "width"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "ol": {"start", "type"},
    "blockquote": {"type"},
}
_STYLES = {"color", "background-color", "font-weight", "font-style", "text-decoration", "text-align"}
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_FETCHES = re.compile(r"url\s*\(|image\s*\(|image-set|expression|@import|\\", re.IGNORECASE)

_OPENED = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,12})")
_FORMATTING = {
    "a",
    "b",
    "big",
    "code",
    "em",
    "font",
    "i",
    "nobr",
    "s",
    "small",
    "strike",
    "strong",
    "tt",
    "u",
}
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "frame",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "wbr",
    "p",
    "li",
    "td",
    "th",
    "tr",
    "dt",
    "dd",
    "option",
}
_BARE_AND = re.compile(r"&(?![a-zA-Z#])")
_LINK = re.compile(r"<a[\s/>]", re.IGNORECASE)

_TOKENS = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:[^<>\"]|\"[^\"]*\")*)>|([^<]+)|<")
_PIECE = 50_000  # characters
_ALT = re.compile(r'\salt="([^"]*)"')
_BLOCKS = {
    "address",
    "article",
    "aside",
    "blockquote",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
}
_APART = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table", "pre", "dl", "hr"}
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|title|noembed|noframes|template|svg|math)\b.*?(?:</\1\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>?|<[!?][^<>]*>?|([^<]+)|<")


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """``html`` may be shown; ``text`` is what it says; ``problem`` is why the markup is not shown, if so."""

    html: str
    text: str
    remote_images: int = 0
    problem: str | None = None


def make_safe(source: str) -> SafeHtml:
    """The HTML of a mail made safe to show, and its text. Takes less than a second for any input."""
    problem = _too_much(source)
    if problem is not None:
        text = crude_text(source)
        return SafeHtml(_notice(problem, text), text, 0, problem)
    if source.count("&") > 1_000:
        source = _BARE_AND.sub("&amp;", source)
    counter = _Filter()
    cleaned = _clean(source, counter)
    return SafeHtml(cleaned, text_of(cleaned), counter.remote, None)


def _clean(source: str, counter: _Filter) -> str:
    import nh3  # 2 MB that web and worker do without until there is HTML to show

    return nh3.clean(
        source, tags=_TAGS, clean_content_tags=_GONE, attributes=_ATTRIBUTES, attribute_filter=counter.attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"}, filter_style_properties=_STYLES,
        link_rel="noopener noreferrer nofollow", set_tag_attribute_values={"a": {"target": "_blank"}},
    )  # fmt: skip


class _Filter:
    """What attributes may say. Counts the images that were taken out."""

    def __init__(self) -> None:
        self.remote = 0

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        if name == "src":
            if value[:4].lower() == "cid:" or _PICTURE.fullmatch(value):
                return value
            self.remote += 1
            return None
        if name == "href":
            return None if value.lstrip()[:5].lower().startswith(("data:", "cid:")) else value
        if name == "style":
            return None if _FETCHES.search(value) else value
        return value


def _too_much(source: str) -> str | None:
    """Why a body is not made safe: too long, too many links, or shaped to make any parser slow."""
    if len(source) > bounds.HTML:
        return f"its HTML has over {bounds.HTML:,} characters"
    if source.count("&") > 100_000:
        return "its HTML has over 100,000 character references"
    if source.count("<") <= 300:
        return None
    links = len(_LINK.findall(source))
    if links > bounds.LINKS:
        return f"its HTML has over {bounds.LINKS:,} links"
    depth = deepest = formatting = most = count = 0
    for closing, name in _OPENED.findall(source):
        count += 1
        name = name.lower()
        if name in _VOID:
            continue
        step = -1 if closing else 1
        depth = max(depth + step, 0)
        deepest = max(deepest, depth)
        if name in _FORMATTING:
            formatting = max(formatting + step, 0)
            most = max(most, formatting)
    if deepest * count > 10_000_000 or most * count > 2_000_000:
        return "its HTML is nested too deep"
    return None


def _notice(problem: str, text: str) -> str:
    said = f"<p><em>This mail is shown as text only: {html.escape(problem)}. The original is kept.</em></p>"
    return f"{said}<pre>{html.escape(text[: bounds.TEXT], quote=False)}</pre>"


def text_of(cleaned: str) -> str:
    """The text of HTML that is well formed, as the cleaner writes it."""
    return _Text().feed(_TOKENS.finditer(cleaned))


def crude_text(source: str) -> str:
    """The text of any HTML without parsing it: comments, scripts and tags left out. Linear in its length."""
    return _Text().feed(_ANY_TAG.finditer(_HIDDEN.sub(" ", source)))


def _squeezed(text: str) -> str:
    """One space for each run of blanks. In pieces: a substitution holds all words apart until its end."""
    if len(text) <= _PIECE:
        return _BLANKS.sub(" ", text)
    pieces = [""]
    for start in range(0, len(text), _PIECE):
        piece = _BLANKS.sub(" ", text[start : start + _PIECE])
        piece = piece.removeprefix(" ") if pieces[-1].endswith(" ") else piece
        if piece:
            pieces.append(piece)
    return "".join(pieces)


class _Text:
    """Lines out of tags and text: blocks begin a line, paragraphs a blank one, cells are set apart."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.pre = 0
        self.blank = False

    def feed(self, tokens: Iterable[re.Match[str]]) -> str:
        for token in tokens:
            text = token[4]
            if text is not None:
                self._text(html.unescape(text) if "&" in text else text)
            elif token[2] is not None:
                self._tag(token[2].lower(), token[1] == "/", token[3])
            elif token[0] == "<":
                self.line.append("<")
        self._end_line()
        return "\n".join(self.lines).strip("\n")

    def _text(self, text: str) -> None:
        if self.pre:
            first, *others = text.split("\n")
            self.line.append(first)
            for other in others:
                self._end_line(keep=True)
                self.line.append(other)
        else:
            self.line.append(_squeezed(text))

    def _tag(self, name: str, closing: bool, attributes: str) -> None:
        if name == "br":
            self._end_line(keep=True)
        elif name == "img" and (alt := _ALT.search(attributes)):
            self.line.append(html.unescape(alt[1]))
        elif name in ("td", "th") and not closing:
            self.line.append(" ")
        elif name in _BLOCKS:
            self._block(name, closing)

    def _block(self, name: str, closing: bool) -> None:
        self._end_line()
        self.blank = self.blank or name in _APART
        if name == "pre":
            self.pre = max(self.pre + (-1 if closing else 1), 0)
        elif name == "li" and not closing:
            self.line.append("- ")

    def _end_line(self, *, keep: bool = False) -> None:
        line = "".join(self.line)
        line = line.rstrip() if self.pre else _squeezed(line).strip()
        self.line = []
        if line == "-" and not keep:
            self.line.append("- ")
            return
        if line or keep:
            if self.blank and self.lines and self.lines[-1]:
                self.lines.append("")
            self.lines.append(line)
            self.blank = False
