"""The world at the start: our numbers and addresses, who may call or write, whose phones there are. A JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator import behaviours
from simulator.company import PhoneCompany
from simulator.mail import manners
from simulator.mail.office import PostOffice
from simulator.own_numbers import SETTABLE

DEFAULT = Path(__file__).with_name("scene.json")


@dataclass
class Scene:
    """``callers`` are for the page to choose from: name, number, company, note, stir; times in ``zone``.

    ``lines`` are the product's mail addresses, ``mailboxes`` everybody else's: address, name, role, note, manner.
    """

    numbers: list[dict[str, str]] = field(default_factory=list)
    callers: list[dict[str, str]] = field(default_factory=list)
    phones: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, str]] = field(default_factory=list)
    mailboxes: list[dict[str, Any]] = field(default_factory=list)
    zone: str = "UTC"


def load(path: Path) -> Scene:
    """Raises ValueError or OSError with the path when the file cannot be used."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        numbers, zone = data["numbers"], ZoneInfo(data.get("zone", "UTC")).key
        rest = {name: data.get(name, []) for name in ("callers", "phones", "lines", "mailboxes")}
        return Scene(numbers, **rest, zone=zone)
    except (ValueError, KeyError, TypeError, ZoneInfoNotFoundError) as error:
        raise ValueError(f"{path} is not a scene: {error}") from error


def set_up(company: PhoneCompany, scene: Scene) -> None:
    """Put the scene's numbers and phones into the company. Raises ValueError on a wrong one."""
    known = set(SETTABLE.values())
    for entry in scene.numbers:
        webhooks = {name: value for name, value in entry.items() if name in known}
        company.own_number(entry["number"], friendly_name=entry.get("name", entry["number"]), **webhooks)
    for caller in scene.callers:
        company.phone(caller["number"]).name = caller["name"]
    for described in scene.phones:
        phone = company.phone(described["number"])
        phone.name = described.get("name", "")
        if "behaviour" in described:
            phone.behave(*behaviours.read(described["behaviour"]))


def set_up_mail(office: PostOffice, scene: Scene) -> None:
    """Put the scene's addresses into the post office. Raises ValueError on a wrong one."""
    for line in scene.lines:
        office.line(line["address"], line.get("name", ""))
    for described in scene.mailboxes:
        about = {name: described[name] for name in ("name", "role", "note") if name in described}
        mailbox = office.describe(described["address"], **about)
        if "manner" in described:
            office.behave(mailbox.address, manners.read(described["manner"]))
