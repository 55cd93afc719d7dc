"""How anything becomes a case: callers, the phone call, voicemail, and the one door, ``cases.open_case()``."""
