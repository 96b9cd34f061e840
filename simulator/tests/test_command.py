"""The command line."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import requests

from simulator.tests.support import TIMEOUT

ROOT = Path(__file__).parents[2]


def test_help_lists_the_options() -> None:
    command = [sys.executable, "-m", "simulator", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: python -m simulator ")
    assert "--lacking-role" in shown.stdout
    assert "--none-is-not-found" in shown.stdout


def test_serves_until_sigterm(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    command = [sys.executable, "-m", "simulator", "--orders", "20"]
    command += ["--write-config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = json.loads(config.read_text(encoding="utf-8"))["sp_api_url"]
        assert line == f"listening on {url}\n"
        assert requests.get(f"{url}/_simulator/stats", timeout=TIMEOUT).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0
