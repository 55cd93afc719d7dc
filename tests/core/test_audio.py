from __future__ import annotations

import hashlib
import io
import struct
import wave
from collections.abc import Callable

import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audio import AudioStore, NotAudio, wav_seconds
from core.settings import Settings

MakeSettings = Callable[..., Settings]


def pcm(seconds: float = 2.0, rate: int = 8000) -> bytes:
    """Silence as the telephone company sends it: 8 kHz, 16 bit, one channel."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"\0\0" * int(seconds * rate))
    return out.getvalue()


def mu_law(seconds: float = 2.0) -> bytes:
    sound = b"\xff" * int(seconds * 8000)
    body = b"WAVE" + b"fmt " + struct.pack("<IHHIIHH", 16, 7, 1, 8000, 8000, 1, 8)
    body += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.fixture
def store(make_settings: MakeSettings) -> AudioStore:
    return AudioStore(make_settings())


def test_it_gives_back_what_it_was_given_with_its_length_and_digest(store: AudioStore) -> None:
    stored = store.put("recordings/RE1.wav", pcm(2.5))
    assert store.get("recordings/RE1.wav") == pcm(2.5)
    assert stored.seconds == 2.5
    assert stored.size_bytes == len(pcm(2.5))
    assert stored.sha256 == hashlib.sha256(pcm(2.5)).hexdigest()
    assert stored.key == "recordings/RE1.wav"


def test_it_keeps_the_latest_of_two_with_the_same_key(store: AudioStore) -> None:
    store.put("a.wav", pcm(1))
    store.put("a.wav", pcm(3))
    assert store.get("a.wav") == pcm(3)


def test_it_takes_mu_law_without_knowing_its_length(store: AudioStore) -> None:
    assert store.put("a.wav", mu_law()).seconds is None
    assert store.get("a.wav") == mu_law()


BROKEN = {
    "nothing": b"",
    "an error page": b"<html>" + b"x" * 100,
    "JSON": b'{"status": 404}' * 10,
    "only the beginning of the header": pcm()[:43],
    "another RIFF": b"RIFF" + b"\0" * 4 + b"AVI " + b"\0" * 100,
    "a header and half of the sound": pcm(2)[: 44 + 16_000],
    "a header without sound": pcm(2)[:44],
    "no rate": pcm()[:24] + b"\0\0\0\0" + pcm()[28:],
    "no chunks": b"RIFF" + struct.pack("<I", 100) + b"WAVE" + b"\0" * 100,
    "sound before its format": b"RIFF"
    + struct.pack("<I", 40)
    + b"WAVEdata"
    + struct.pack("<I", 28)
    + b"\0" * 28,
}


@pytest.mark.parametrize("audio", BROKEN.values(), ids=BROKEN.keys())
def test_it_refuses_what_is_no_recording_and_keeps_nothing(store: AudioStore, audio: bytes) -> None:
    with pytest.raises(NotAudio):
        store.put("a.wav", audio)
    with pytest.raises(FileNotFoundError):
        store.get("a.wav")


def test_it_takes_a_recording_whose_header_was_written_before_its_length_was_known() -> None:
    sound = pcm(2)
    streamed = sound[:4] + b"\xff" * 4 + sound[8:40] + b"\xff" * 4 + sound[44:]
    assert wav_seconds(streamed) == 2.0


@settings(deadline=None)
@given(cut=st.integers(0, len(pcm(0.2)) - 1))
def test_it_finds_every_cut(cut: int) -> None:
    with pytest.raises(NotAudio):
        wav_seconds(pcm(0.2)[:cut])


@settings(deadline=None)
@given(st.binary(max_size=200).map(lambda rest: b"RIFF\0\0\0\0WAVE" + rest) | st.binary(max_size=200))
def test_it_measures_or_refuses_any_bytes(audio: bytes) -> None:
    try:
        seconds = wav_seconds(audio)
    except NotAudio:
        return
    assert seconds is None or seconds >= 0


def test_it_notices_a_storage_that_gives_back_something_else(
    store: AudioStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = obstore.put
    monkeypatch.setattr(obstore, "put", lambda where, key, audio: put(where, key, audio[:-1] + b"\x01"))
    with pytest.raises(OSError, match="other bytes"):
        store.put("a.wav", pcm())


def test_it_keeps_audio_where_the_settings_say(make_settings: MakeSettings, tmp_path: object) -> None:
    store = AudioStore(make_settings(storage_url=f"file://{tmp_path}"))
    store.put("kept.wav", pcm())
    assert store.get("kept.wav") == pcm()
