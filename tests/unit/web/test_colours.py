import math
import re
from pathlib import Path

import pytest

import leadflood.web

TOKENS = (Path(leadflood.web.__file__).parent / "frontend/css/tokens.css").read_text()
THEMES = ("light", "dark")
GROUNDS = ("canvas", "sunken", "surface", "raised", "hover", "pressed", "selected")
TONES = ("ok", "warn", "bad", "info", "neutral", "teal", "purple", "pink")

_PAIR = re.compile(r"--([a-z-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\)")

Linear = tuple[float, float, float]


def _linear(oklch: str) -> Linear:
    # Björn Ottosson, "A perceptual color space for image processing" (2020); out of gamut is cut off, as screens do.
    lightness, chroma, hue = (float(part.rstrip("%")) for part in oklch.split("/", maxsplit=1)[0].split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    base = lightness / 100
    long = (base + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (base - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (base - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return (_cut(red), _cut(green), _cut(blue))


def _cut(channel: float) -> float:
    return min(max(channel, 0.0), 1.0)


COLOURS = {name: {"light": _linear(light), "dark": _linear(dark)} for name, light, dark in _PAIR.findall(TOKENS)}


def _ratio(one: Linear, other: Linear) -> float:
    # WCAG 2.2, "relative luminance" and "contrast ratio"
    weights = (0.2126, 0.7152, 0.0722)
    dark, light = sorted(
        sum(weight * channel for weight, channel in zip(weights, colour, strict=True)) for colour in (one, other)
    )
    return (light + 0.05) / (dark + 0.05)


def _contrast(one: str, other: str, theme: str) -> float:
    return _ratio(COLOURS[one][theme], COLOURS[other][theme])


TEXT = [
    *((ink, ground) for ink in ("ink", "ink-muted", "ink-faint") for ground in GROUNDS),
    *(("link", ground) for ground in GROUNDS),
    *(("bad-ink", ground) for ground in ("canvas", "pressed")),
    *((f"{tone}-ink", ground) for tone in TONES for ground in ("surface", "raised", "hover", f"{tone}-bg")),
    *((ink, f"{tone}-bg") for ink in ("ink", "link") for tone in TONES),
    ("ink-muted", "accent-soft"),
    ("ink-muted", "neutral-bg"),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-hover"),
    ("bad-solid-ink", "bad-solid"),
]
SHAPES = [
    *(("line-control", ground) for ground in ("canvas", "surface", "raised")),
    *(("focus", ground) for ground in GROUNDS),
    *(("accent", ground) for ground in ("surface", "raised", "selected")),
    *((f"{tone}-solid", ground) for tone in TONES for ground in ("surface", "raised", "selected")),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read_on_what_it_stands_on(ink: str, ground: str, theme: str) -> None:
    assert _contrast(ink, ground, theme) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_what_must_be_seen_stands_out(shape: str, ground: str, theme: str) -> None:
    assert _contrast(shape, ground, theme) >= 3


def test_black_on_white_has_the_contrast_of_the_standard() -> None:
    assert _ratio(_linear("0% 0 0"), _linear("100% 0 0")) == pytest.approx(21, abs=0.01)
