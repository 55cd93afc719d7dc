"""Sound files in and out."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from simulator import audio


def uploaded(form: str, rate: int, channels: int, seconds: float = 2.0) -> bytes:
    time = np.arange(int(rate * seconds)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time)
    out = io.BytesIO()
    soundfile.write(out, np.column_stack([wave] * channels), rate, format=form)
    return out.getvalue()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (48000, 1)])
def test_it_turns_any_upload_into_telephone_sound(form: str, rate: int, channels: int) -> None:
    clip = audio.decode(uploaded(form, rate, channels))
    assert clip.seconds == pytest.approx(2, abs=0.1)
    assert clip.samples.dtype == np.int16
    spectrum = np.abs(np.fft.rfft(clip.samples[2000:10000]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)
    data, got_rate = soundfile.read(io.BytesIO(audio.wav(clip.samples)), dtype="int16")
    assert (got_rate, data.ndim) == (8000, 1)


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF" + bytes(60)])
def test_it_refuses_what_is_no_sound(data: bytes) -> None:
    with pytest.raises(audio.NotAudio):
        audio.decode(data)


def test_it_makes_mp3() -> None:
    data = audio.mp3(audio.tone(3).samples)
    assert soundfile.info(io.BytesIO(data)).format == "MP3"
    assert audio.decode(data).seconds == pytest.approx(3, abs=0.2)


def test_it_knows_silence_from_speech() -> None:
    noise = (np.random.default_rng(1).normal(0, 20, 16000)).astype(np.int16)
    assert audio.Clip(noise).is_silent
    assert audio.Clip(audio.silence(2)).is_silent
    assert not audio.tone(2).is_silent
    assert audio.Clip(audio.silence(0)).is_silent


def test_it_takes_as_long_as_the_words() -> None:
    clip = audio.spoken("our production system is down since one forty")
    assert clip.seconds == pytest.approx(8 / 2.6, abs=0.01)
    assert clip.text == "our production system is down since one forty"


def test_it_ships_a_voicemail() -> None:
    clip = audio.sample_clip()
    assert 7 < clip.seconds < 12
    assert audio.SAMPLE_FILE.stat().st_size < 200_000
    info = soundfile.info(str(audio.SAMPLE_FILE))
    assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")
