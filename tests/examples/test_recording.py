"""docs/terminal.svg: drawn as a terminal showed it, and complete in itself."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from tools.recording import COMMANDS, SVG, Output, draw, frames

NAMESPACE = "{http://www.w3.org/2000/svg}"


def shown(svg: str) -> list[str]:
    """Return the words of each frame of a picture."""
    root = ET.fromstring(svg)  # noqa: S314 (of our own making)
    return [
        " ".join("".join(text.itertext()).strip() for text in group.iter(f"{NAMESPACE}text"))
        for group in root.iter(f"{NAMESPACE}g")
        if group.get("class") == "frame"
    ]


def test_what_a_program_overwrites_is_seen_before_and_not_after() -> None:
    up = b"\x1b[1A\x1b[2K"
    outputs = [Output(0.1, b"half\r\n"), Output(0.2, b"read\r\n"), Output(1.0, up + b"all\r\n")]
    before, after = shown(draw(frames(outputs)))
    assert before.split() == ["half", "read"]
    assert after.split() == ["half", "all"]


def test_colours_are_those_of_the_terminal() -> None:
    (frame,) = frames([Output(0.1, b"\x1b[38;2;1;2;3mblue-ish\x1b[0m\r\n")])
    assert "fill: #010203" in draw([frame])


def test_a_frame_stands_as_long_as_the_terminal_stood_still_but_not_too_long() -> None:
    outputs = [Output(0.0, b"one\r\n"), Output(1.0, b"two\r\n"), Output(60.0, b"three\r\n")]
    # One second, one and a half of fifty-nine, and a rest before it begins again.
    assert "animation: 7.0s" in draw(frames(outputs))


def test_the_picture_shows_the_commands_and_needs_nothing_from_elsewhere() -> None:
    text = SVG.read_text(encoding="utf-8")
    seen = " ".join(shown(text)).replace("\xa0", " ")
    assert all(f"$ {command}" in seen for command in COMMANDS)
    assert "orders" in shown(text)[-1]
    assert re.findall(r"https?://[^\s\"<]+", text) == [NAMESPACE.strip("{}")]
    assert "@font-face" not in text
