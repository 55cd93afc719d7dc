"""TwiML documents: read, and checked for the errors that Twilio reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urljoin

from simulator.transport import WebhookResponse

MAX_BYTES = 64 * 1024
_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent"
_NUMBER = "url method statusCallback statusCallbackEvent statusCallbackMethod byoc"
_AMD = (
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold amdStatusCallback "
    "machineDetectionSpeechEndThreshold machineDetectionSilenceTimeout amdStatusCallbackMethod"
)

# The attributes of every verb and noun that this phone company understands; from Twilio's TwiML reference.
ATTRIBUTES: dict[str, frozenset[str]] = {
    name: frozenset(attributes.split())
    for name, attributes in {
        "Response": "",
        "Say": "voice loop language",
        "Play": "loop digits",
        "Pause": "length",
        "Gather": "input action method timeout speechTimeout finishOnKey numDigits actionOnEmptyResult hints "
        "language maxSpeechTime profanityFilter bargeIn speechModel enhanced partialResultCallback "
        "partialResultCallbackMethod debug",
        "Record": "action method timeout finishOnKey maxLength playBeep trim transcribe transcribeCallback "
        + _RECORDING,
        "Dial": "action method timeout hangupOnStar timeLimit callerId record trim answerOnBridge ringTone "
        "recordingTrack sequential referUrl referMethod events " + _RECORDING,
        "Number": "sendDigits " + _NUMBER + " " + _AMD,
        "Sip": "username password " + _NUMBER + " " + _AMD,
        "Redirect": "method",
        "Reject": "reason",
        "Hangup": "",
    }.items()
}
CHILDREN: dict[str, frozenset[str]] = {
    "Response": frozenset(
        {"Say", "Play", "Pause", "Gather", "Record", "Dial", "Redirect", "Reject", "Hangup"}
    ),
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Dial": frozenset({"Number", "Sip"}),
}
# Speech markup inside <Say> is spoken as its text.
_SSML = frozenset({"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"})


class DocumentError(Exception):
    """Twilio cannot use the document: ``code`` is its error number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Document:
    """A TwiML document and the address that it came from, against which its URLs are resolved."""

    root: ET.Element
    url: str
    warnings: tuple[str, ...] = ()

    def resolve(self, reference: str) -> str:
        """``reference`` as an absolute URL; an empty one is the document's own."""
        fragment = "#" + reference.partition("#")[2] if "#" in reference else ""
        bare = reference.partition("#")[0]
        return (urljoin(self.url.partition("#")[0], bare) if bare else self.url.partition("#")[0]) + fragment


def parse(text: str, url: str) -> Document:
    """The document, with a warning for each attribute that Twilio would report. Raises DocumentError."""
    if len(text.encode()) > MAX_BYTES:
        raise DocumentError(11750, "TwiML response body too large")
    if text[:1].isspace() or text[:1] == "\ufeff":
        raise DocumentError(12100, "Document parse failure: white space before the XML declaration")
    try:
        root = ET.fromstring(text)  # noqa: S314 - the document comes from the application on this desk
    except ET.ParseError as error:
        raise DocumentError(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise DocumentError(12100, f"Document parse failure: the root is <{root.tag}>, not <Response>")
    warnings: list[str] = []
    _check(root, warnings)
    return Document(root, url, tuple(warnings))


def _check(parent: ET.Element, warnings: list[str]) -> None:
    unknown = [name for name in parent.attrib if name not in ATTRIBUTES[parent.tag]]
    warnings.extend(f"attribute {name} is not allowed on <{parent.tag}>" for name in unknown)
    for child in parent:
        if parent.tag == "Say" and child.tag in _SSML:
            continue
        if child.tag not in CHILDREN.get(parent.tag, frozenset()):
            raise DocumentError(12200, f"Schema validation: <{child.tag}> is not allowed in <{parent.tag}>")
        _check(child, warnings)


def of_response(answer: WebhookResponse, url: str) -> Document:
    """The document in a webhook's answer, by its content type as Twilio treats it. Raises DocumentError."""
    kind = answer.header("Content-Type").partition(";")[0].strip().lower()
    if kind in {"text/xml", "application/xml", "text/html"}:
        return parse(answer.body, url)
    root = ET.Element("Response")
    if kind == "text/plain":
        ET.SubElement(root, "Say").text = answer.body
    elif kind.startswith("audio/"):
        ET.SubElement(root, "Play").text = url
    elif answer.body:
        raise DocumentError(12300, f"Invalid Content-Type: {kind or 'none'}")
    return Document(root, url)


def words(element: ET.Element) -> str:
    """The text of an element and of the markup inside it, with runs of white space made one."""
    return " ".join("".join(element.itertext()).split())


def number(element: ET.Element, attribute: str, default: float) -> float:
    """A numeric attribute, or the default when it is absent or not a number ("auto")."""
    try:
        return max(float(element.get(attribute, default)), 0.0)
    except ValueError:
        return default


def flag(element: ET.Element, attribute: str, default: bool) -> bool:
    return element.get(attribute, str(default)).strip().lower() == "true"
