"""bench-mqtt against our broker: every kind of load runs, and nothing of it is lost."""

import json
import subprocess

import pytest

from agent_process import BUILD
from broker_process import running_broker

LOADS = {
    "fan-in": ("delivered", ["--publishers", 5, "--qos", 1]),
    "fan-out": ("delivered", ["--receivers", 20]),
    "pairs": ("delivered", ["--publishers", 4, "--receivers", 4, "--qos", 2, "--per-write", 1]),
    "fleet": ("delivered", ["--publishers", 4, "--receivers", 3, "--filters", 130, "--qos", 1]),
    "rpc": ("calls", ["--callers", 3]),
    "connects": ("connects", ["--at-once", 4]),
    "hoard": ("fetched", ["--topics", 550]),
}


def load(what, arguments, **more):
    command = [str(BUILD / "bench" / "bench-mqtt"), what, "--window-ms", "100", "--warm-up-ms",
               "20", *(str(word) for word in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


@pytest.fixture
def port():
    with running_broker() as number:
        yield number


@pytest.mark.parametrize("what", LOADS)
def test_all_that_is_published_arrives(port, what):
    key, arguments = LOADS[what]
    run = load(what, ["--port", port, *arguments])
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert figures["lost"] == 0
    assert figures[key] > 0


def test_with_steps_it_waits_to_be_told_to_go_on(port):
    arguments = ["--port", port, "--receivers", 3, "--publishers", 0, "--steps"]
    run = load("fleet", arguments, input="\n\n")
    assert (run.returncode, run.stdout) == (0, "connected\nsubscribed\n")
    run = load("fleet", arguments, input="\n")
    assert (run.returncode, run.stdout) == (1, "connected\nsubscribed\n")


def test_a_broker_that_is_not_there_is_told_of():
    run = load("rpc", ["--port", 1])
    assert run.returncode == 1
    assert "Connection refused" in run.stderr
    assert load("rpc", []).returncode == 2
    assert load("nothing", ["--port", 1]).returncode == 2
    assert "Invalid argument" in load("fan-in", ["--port", 1, "--window", 3]).stderr
