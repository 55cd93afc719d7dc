"""Who and where: the lines, the customers, the engineers, and the hours of the stories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

BELL = "https://bell.example"
ACCOUNT_SID = "AC" + "5" * 32
TOKEN = "a-token-for-stories"
CENTRAL = ZoneInfo("America/Chicago")
NIGHT = datetime(2026, 3, 4, 2, 10, tzinfo=CENTRAL)  # a Wednesday; Dana is on call
DAY = datetime(2026, 3, 4, 10, 0, tzinfo=CENTRAL)
SAMPLE = Path(__file__).parent.parent.parent / "routing" / "samples" / "agreement.yaml"

SUPPORT, MANAGED = "+18773632305", "+18772745771"
MARIA, TOM, GRACE, OMAR, LENA = "+15125550142", "+13125550177", "+12065550118", "+12145550163", "+17755550190"
STRANGER = "+19175550100"
DANA, LUIS, PRIYA, SAM = "+17135550101", "+17135550102", "+17135550103", "+17135550104"
ENGINEERS = (DANA, LUIS, PRIYA, SAM)


def agreement(*changes: tuple[str, str]) -> str:
    """The sample policy; of each change the first place with its old text gets the new one."""
    text = SAMPLE.read_text()
    for old, new in changes:
        assert old in text, f"the sample policy has no {old!r}"
        text = text.replace(old, new, 1)
    return text
