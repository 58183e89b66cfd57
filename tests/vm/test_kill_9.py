"""bench/'s measure of kill -9 to safe pins, on lines of a real kernel."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from agent_process import TOP

KILLS = "2"  # emulated, each start takes seconds
RELEASE = pathlib.Path(os.environ.get("PIFLEET_RELEASE", TOP / "build"))


@pytest.mark.skipif(not (RELEASE / "pifleet-supervisor").exists(),
                    reason="needs the released programs: ./dev build")
def test_each_kill_leaves_safe_pins(board, tmp_path, capsys):
    figures = tmp_path / "figures.json"
    run = subprocess.run(
        [sys.executable, TOP / "bench/run.py", "--build", RELEASE, "--kills", KILLS, "--only", "kill",
         "--json", figures], env={**os.environ, "PIFLEET_GPIO_SIM": str(board.folder)},
        capture_output=True, text=True, check=False)
    # 1: slower than the bar, as this machine may be where it is emulated.
    assert run.returncode in (0, 1), run.stderr
    with capsys.disabled():
        print("\n" + run.stdout)
    for name, kills in json.loads(figures.read_text())["device"]["kill"].items():
        assert kills.get("kills"), f"{name}: {kills}"
    assert board.values() == [0] * len(board.lines)
