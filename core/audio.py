"""Audio at rest: a folder beside the database, or S3-compatible storage; the same calls for both."""

from __future__ import annotations

import hashlib
import io
import wave
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.settings import Settings, SettingsError

if TYPE_CHECKING:
    from core.storage import Storage

_LENGTH_UNKNOWN = 0x7FFF_0000  # bytes


class NotAudio(Exception):
    """The bytes are no WAV recording; the message says why."""


@dataclass(frozen=True)
class StoredAudio:
    """What was kept: where, how many bytes, their SHA-256, and the length in seconds if it can be told."""

    key: str
    size_bytes: int
    sha256: str
    seconds: float | None


class AudioStore:
    """Puts recordings away and gives them back."""

    def __init__(self, settings: Settings) -> None:
        self._where: Path | str = settings.storage_url or (Path(settings.data_dir) / "audio").resolve()
        if isinstance(self._where, Path):
            self._where.mkdir(parents=True, exist_ok=True)
        else:
            self._refuse_bad_address()

    def _refuse_bad_address(self) -> None:
        try:
            _ = self._storage
        except OSError as error:
            expected = Settings.model_fields["storage_url"].description
            raise SettingsError(f"NIGHTBELL_STORAGE_URL is wrong ({error}); expected: {expected}") from None

    @cached_property
    def _storage(self) -> Storage:
        from core.storage import Storage  # 5 MB that nobody needs before there is something to keep

        return Storage(self._where)

    def put(self, key: str, audio: bytes) -> StoredAudio:
        """Keep ``audio`` under ``key`` once it has proved to be a recording; read back and compared."""
        seconds = wav_seconds(audio)
        self._storage.put(key, audio)
        digest = hashlib.sha256(audio).hexdigest()
        if hashlib.sha256(self.get(key)).hexdigest() != digest:
            raise OSError(f"the storage gave back other bytes than it was given for {key}")
        return StoredAudio(key, len(audio), digest, seconds)

    def get(self, key: str) -> bytes:
        """The bytes kept under ``key``."""
        return self._storage.get(key)


def wav_seconds(audio: bytes) -> float | None:
    """The length of a WAV recording; None where its encoding is not PCM. :class:`NotAudio` for other bytes."""
    if len(audio) < 44 or audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        raise NotAudio(f"{len(audio)} bytes without a WAV header")
    try:
        with wave.open(io.BytesIO(audio)) as sound:
            return _pcm_seconds(sound)
    except wave.Error as error:
        if str(error).startswith("unknown format"):
            return None  # another encoding (mu-law): playable, but the standard library cannot count it
        raise NotAudio(f"a broken WAV header: {error}") from None
    except (EOFError, RuntimeError, ZeroDivisionError):
        raise NotAudio("the WAV recording is cut off, or its header is") from None


def _pcm_seconds(sound: wave.Wave_read) -> float:
    promised, frame_bytes = sound.getnframes(), sound.getsampwidth() * sound.getnchannels()
    present = len(sound.readframes(promised)) // frame_bytes
    # Who writes the header before the sound knows no length, and puts the greatest there is.
    if present < promised and promised * frame_bytes < _LENGTH_UNKNOWN:
        raise NotAudio(f"the WAV recording is cut off: {present} of {promised} samples")
    return float(present / sound.getframerate())
