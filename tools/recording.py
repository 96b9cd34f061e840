"""A recording of a terminal, drawn as docs/terminal.svg: `make recording`.

The commands really run, against a simulator of both APIs, on a terminal of their own. What is drawn
is what the terminal showed, and when.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

import pyte
from rich.console import Console
from rich.text import Text

from simulator import Options, Simulator, World
from tools import PROJECT
from tools.demo import FASTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SVG = PROJECT / "docs" / "terminal.svg"
COLUMNS, LINES = 120, 30
STILL = 0.2
"""A terminal that shows nothing new for so many seconds is drawn."""
LONGEST = 1.5
"""How many seconds a drawing stands at most, and the last one three times as many."""

COMMANDS = (
    "tap-amazon-business --config config.json --test",
    "tap-amazon-business --config config.json | target-jsonl --config loader.json > states.jsonl",
    "wc -l output/*",
)

# Numbers are those of Rich's own format, which draws characters 12.2 wide, in lines of 24.4.
_PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>tap-amazon-business in a terminal</title>
<style>
text {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 20px; }}
.frame {{ visibility: hidden; }}
.frame:last-of-type {{ visibility: visible; }}
@media (prefers-reduced-motion: no-preference) {{
.frame, .frame:last-of-type {{ visibility: hidden; animation: {seconds}s step-end infinite; }}
{keyframes}
}}
{styles}
</style>
<rect width="100%" height="100%" rx="8" fill="#292929"/>
<g fill="#c5c8c6" transform="translate(20, 8)">
{frames}
</g>
</svg>
"""
_PART = "{styles}\0{backgrounds}{matrix}"


class Output(NamedTuple):
    """What a terminal got, and when, in seconds since its start."""

    at: float
    data: bytes


@dataclass(frozen=True)
class Frame:
    """What a terminal showed.

    Attributes:
        at: Since when, in seconds.
        lines: Its lines, with their colours.
    """

    at: float
    lines: tuple[Text, ...]


def main() -> None:
    """Run the commands and write the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(World(orders=250, quirks=False), Options(rates=FASTER)) as simulator,
    ):
        where = Path(folder)
        (where / "output").mkdir()
        loader = {"destination_path": "output", "do_timestamp_file": False}
        (where / "loader.json").write_text(json.dumps(loader), encoding="utf-8")
        (where / "config.json").write_text(json.dumps(simulator.config()), encoding="utf-8")
        programs = (".venv/bin", ".meltano/loaders/target-jsonl/venv/bin")
        path = ":".join([*(str(PROJECT / part) for part in programs), os.environ["PATH"]])
        outputs = [*record(COMMANDS, where, {**os.environ, "PATH": path, "TERM": "xterm-256color"})]
    SVG.write_text(draw(frames(outputs)), encoding="utf-8")


def record(
    commands: Iterable[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[Output]:
    """Run commands on a terminal, each shown before it runs, and yield what they write."""
    shown = "".join(f"printf '%s\\n' {quote('$ ' + line)}\n{line}\n" for line in commands)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    began = time.monotonic()
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", shown],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        try:
            while data := os.read(ours, 65_536):
                yield Output(time.monotonic() - began, data)
        except OSError:  # the terminal's way to say that nobody writes to it any more
            pass
        finally:
            os.close(ours)
    if process.returncode:
        raise SystemExit(process.returncode)


def frames(outputs: Iterable[Output]) -> list[Frame]:
    """Return what a terminal showed, each time that it stood still, and at last."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    found: list[Frame] = []
    since = 0.0

    def keep() -> None:
        lines = tuple(_line(screen, number) for number in range(LINES))
        if not found or found[-1].lines != lines:
            found.append(Frame(since, lines))

    last = 0.0
    for at, data in outputs:
        if at - last >= STILL:
            keep()
            since = at
        stream.feed(data)
        last = at
    keep()
    return found


def draw(shown: list[Frame]) -> str:
    """Return an SVG picture that shows one frame after the other, and then begins again."""
    lasting = [min(b.at - a.at, LONGEST) for a, b in pairwise(shown)]
    lasting.append(3 * LONGEST)
    whole = sum(lasting)
    styles, bodies, keyframes = [], [], []
    for number, (frame, seconds) in enumerate(zip(shown, lasting, strict=True)):
        style, body = _drawn(frame, f"f{number}")
        styles.append(style)
        bodies.append(f'<g class="frame" style="animation-name: s{number}">{body}</g>')
        begin = 100 * sum(lasting[:number]) / whole
        end = begin + 100 * seconds / whole
        keyframes.append(
            f"@keyframes s{number} {{ 0% {{ visibility: hidden; }} {begin:.2f}% "
            f"{{ visibility: visible; }} {end:.2f}% {{ visibility: hidden; }} }}"
        )
    return _PAGE.format(
        width=COLUMNS * 12.2 + 40,
        height=LINES * 24.4 + 24,
        seconds=f"{whole:.1f}",
        keyframes="\n".join(keyframes),
        styles="\n".join(styles),
        frames="\n".join(bodies),
    )


def _drawn(frame: Frame, name: str) -> tuple[str, str]:
    """Return the style and the body of a frame."""
    console = Console(
        record=True,
        file=io.StringIO(),
        width=COLUMNS,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for line in frame.lines:
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    style, body = console.export_svg(code_format=_PART, unique_id=name).split("\0")
    return style, re.sub(r' clip-path="[^"]*"', "", body)


def _line(screen: pyte.Screen, number: int) -> Text:
    """Return a line of a screen."""
    line = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[number][column]
        parts = [_colour(cell.fg), "bold" if cell.bold else "", "reverse" if cell.reverse else ""]
        background = _colour(cell.bg)
        if background:
            parts.append(f"on {background}")
        line.append(cell.data, " ".join(part for part in parts if part))
    line.rstrip()
    return line


def _colour(name: str) -> str:
    """Return Rich's name of a colour."""
    if name == "default":
        return ""
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return name.replace("brown", "yellow").replace("bright", "bright_")


if __name__ == "__main__":
    main()
