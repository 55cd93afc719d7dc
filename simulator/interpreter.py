"""Runs TwiML on one leg: fetches documents, walks their verbs, and falls back when that fails."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from simulator import twiml
from simulator.audio import saying_takes
from simulator.calls import Call
from simulator.parts import Digits, Input
from simulator.process import HungUp, Signal, Step
from simulator.transport import WebhookResponse

MAX_DOCUMENTS = 1000
APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."
_GATHER_LOOPS_FOR_EVER = 1000


@dataclass(frozen=True)
class Source:
    """Where the next document comes from: a URL to request, or the document itself."""

    url: str = ""
    method: str = "POST"
    params: Mapping[str, str] = field(default_factory=dict)
    kind: str = "voice"
    text: str | None = None


class Replaced(Exception):
    """Somebody put a new document in place of the running one, by the API."""

    def __init__(self, source: Source) -> None:
        super().__init__("replaced by the API")
        self.source = source


Verb = Callable[[Call, ET.Element, twiml.Document], Step[twiml.Document | None]]


def run(call: Call, source: Source) -> Step[None]:
    """Run documents on a leg until one ends without leading to another. Raises HungUp at the call's end."""
    document: twiml.Document | None = None
    while True:
        try:
            if document is None:
                document = yield from fetch(call, source)
            following = yield from _execute(call, document)
        except Replaced as replaced:
            document, source = None, replaced.source
            continue
        if following is None:
            return
        document = following


def _execute(call: Call, document: twiml.Document) -> Step[twiml.Document | None]:
    from simulator.verbs import VERBS

    first = next(iter(document.root), None)
    if first is None or first.tag != "Reject":
        call.pick_up()
    for element in document.root:
        following = yield from VERBS[element.tag](call, element, document)
        if following is not None:
            return following
    return None


def fetch(call: Call, source: Source) -> Step[twiml.Document]:
    """The document of ``source``, else that of the fallback URL, else the error message and HungUp."""
    document = yield from _document(call, source)
    if document is None and call.fallback is not None:
        url, method = call.fallback
        error = call.company.alerts[-1] if call.company.alerts else None
        params = {"ErrorCode": str(error.code if error else 11200), "ErrorUrl": source.url.partition("#")[0]}
        document = yield from _document(call, Source(url, method, params, "fallback"))
    if document is not None:
        return document
    call.pick_up()
    yield from play_out(call, [("say", APPLICATION_ERROR, saying_takes(APPLICATION_ERROR))])
    raise HungUp


def _document(call: Call, source: Source) -> Step[twiml.Document | None]:
    call.documents += 1
    company = call.company
    if call.documents > MAX_DOCUMENTS:
        company.alert(11200, "too many documents in one call", source.url, call)
        raise HungUp
    try:
        if source.text is not None:
            document = twiml.parse(source.text, source.url)
        else:
            answer, why = yield from request(call, source)
            if answer is None:
                company.alert(11200, f"HTTP retrieval failure: {why}", source.url, call)
                return None
            document = twiml.of_response(answer, source.url)
    except twiml.DocumentError as error:
        company.alert(error.code, str(error), source.url, call)
        return None
    for warning in document.warnings:
        company.alert(12200, f"Schema validation warning: {warning}", source.url, call)
    return document


def request(call: Call, source: Source, plain: bool = False) -> Step[tuple[WebhookResponse | None, str]]:
    """Send a webhook of this call (``plain``: without its parameters); (answer, "") or (None, why)."""
    answered = Signal()
    call.company.webhooks.send(
        source.kind,
        source.url,
        source.method,
        {} if plain else {**call.params(), **source.params},
        lambda answer, why: answered.fire((answer, why)),
    )
    outcome: tuple[WebhookResponse | None, str] = yield answered
    return outcome


def sleep(call: Call, seconds: float) -> Step[None]:
    done = Signal()
    handle = call.company.scheduler.after(seconds, done.fire)
    try:
        yield done
    finally:
        handle.cancel()


def next_input(call: Call, seconds: float) -> Step[Input | None]:
    """The next keys or speech of the outside party, or None after ``seconds`` without any."""
    done = Signal()
    handle = call.company.scheduler.after(seconds, done.fire)
    call.listener = done.fire
    try:
        got: Input | None = yield done
    finally:
        handle.cancel()
        call.listener = None
    return got


Sound = tuple[str, str, float]  # kind, text, seconds


def play_out(call: Call, sounds: Iterator[Sound] | list[Sound], listen: bool = False) -> Step[Digits | None]:
    """Let the outside party hear these. With ``listen``, keys stop it at once and are given back."""
    for kind, text, seconds in sounds:
        heard = call.hear(kind, text, seconds)
        if not listen:
            yield from sleep(call, seconds)
            continue
        until = call.company.now().timestamp() + seconds
        while (left := until - call.company.now().timestamp()) > 0:
            got = yield from next_input(call, left)
            if isinstance(got, Digits):
                heard.seconds = seconds - max(until - call.company.now().timestamp(), 0.0)
                return got
            if got is None:
                break
    return None


def sounds_of(element: ET.Element, seconds_of_play: Callable[[str], float]) -> Iterator[Sound]:
    """What a Say, Play or Pause makes one hear."""
    if element.tag == "Pause":
        return iter([("pause", "", twiml.number(element, "length", 1))])
    text = twiml.words(element)
    if element.tag == "Say":
        sound = ("say", text, saying_takes(text))
    elif digits := element.get("digits"):
        sound = ("digits", digits, 0.5 * len(digits))
    else:
        sound = ("play", text, seconds_of_play(text))
    times = int(twiml.number(element, "loop", 1)) or _GATHER_LOOPS_FOR_EVER
    return itertools.repeat(sound, times)
