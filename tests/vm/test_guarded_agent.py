"""The whole chain on lines of a real kernel: commands to the real agent, under the real supervisor."""

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from agent_process import BUILD

PATIENCE_SECONDS = 60
CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")


class GuardedAgent:
    """pifleet-agent on the board, started and watched by pifleet-supervisor."""

    def __init__(self, safe):
        self.directory = tempfile.TemporaryDirectory(prefix="pifleet-guarded-")
        self.path = pathlib.Path(self.directory.name)
        config = {"state_dir": str(self.path / "state"), "access": {"mode": "open"},
                  "command": {"port": 0, "socket": str(self.path / "s")},
                  "mqtt": {"port": 0},
                  "http": {"port": 0},
                  "gpio": {"backend": "chardev", "safe": safe}}
        (self.path / "agent.yaml").write_text(json.dumps(config))
        self.log = open(self.path / "log", "w+", encoding="utf-8")
        self.supervisor = subprocess.Popen(
            [BUILD / "pifleet-supervisor", "--run-dir", self.path / "run", "--",
             BUILD / "pifleet-agent", "--config", self.path / "agent.yaml"], stderr=self.log)
        self.await_answer()

    def call(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_SECONDS)
            client.connect(str(self.path / "s"))
            client.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            with client.makefile() as replies:
                return json.loads(replies.readline())

    def await_answer(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.call("get_status")
            except (OSError, ValueError):
                assert time.monotonic() < end and self.supervisor.poll() is None, self.said()
                time.sleep(0.05)

    def agent_pid(self):
        children = f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children"
        return int(pathlib.Path(children).read_text().split()[0])

    def kill(self, number=signal.SIGKILL):
        """Ends the agent, and returns once the kernel has taken it away."""
        pid = self.agent_pid()
        os.kill(pid, number)
        end = time.monotonic() + PATIENCE_SECONDS
        while pathlib.Path(f"/proc/{pid}").exists():
            assert time.monotonic() < end
            time.sleep(0.005)

    def said(self):
        return (self.path / "log").read_text()

    def close(self):
        self.supervisor.terminate()
        assert self.supervisor.wait(PATIENCE_SECONDS) == 0, self.said()
        self.log.close()
        self.directory.cleanup()


@pytest.fixture
def guarded(board):
    started = []

    def start(safe="off"):
        started.append(GuardedAgent(safe))
        return started[-1]

    yield start
    for agent in started:
        agent.close()


def test_the_status_says_that_lines_are_guarded(guarded):
    assert guarded().call("get_status")["guarded"] is True


@pytest.mark.parametrize("safe, level", [("off", 0), ("on", 1), ("hold", 1)])
def test_a_killed_agent_leaves_its_pins_as_configured_and_the_next_has_them(board, guarded, safe,
                                                                            level):
    agent = guarded(safe)
    assert agent.call("led_on", pin=17)["state"] == "on"
    assert board.value(17) == 1
    agent.kill()
    seen = set()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        seen.add(board.value(17))
    # Not even for a moment, and not while the next agent takes the line over.
    agent.await_answer()
    seen.add(board.value(17))
    assert seen == {level}
    pin = agent.call("gpio_status", pin=17)["pins"]["17"]
    assert (pin["mode"], pin["value"], pin["holder"]) == ("output", level, "pifleet:pin17")
    for command, value in (("led_off", 0), ("led_on", 1)):
        assert agent.call(command, pin=17)["success"], agent.said()
        assert board.value(17) == value


def test_a_software_signal_ends_with_its_agent(board, guarded):
    agent = guarded()
    assert agent.call("pwm_set", pin=23, value=1)["backend"] == "software"
    assert board.value(23) == 1
    agent.kill()
    agent.await_answer()
    assert board.value(23) == 0
    assert agent.call("pwm_set", pin=23, value=1)["success"], agent.said()
    assert board.value(23) == 1


def test_a_pin_that_was_tested_is_free_for_others_and_for_us(board, guarded):
    agent = guarded()
    for _ in range(3):
        assert agent.call("gpio_test", pin=22, times=1, interval=0.01)["passed"]
        assert agent.call("gpio_status", pin=22)["pins"]["22"]["holder"] is None
    assert agent.call("led_on", pin=22)["state"] == "on"
    assert board.value(22) == 1


def test_an_agent_that_hangs_is_ended_and_its_pins_are_safe(board, guarded):
    agent = guarded()
    agent.call("led_on", pin=17)
    os.kill(agent.agent_pid(), signal.SIGSTOP)
    end = time.monotonic() + PATIENCE_SECONDS
    while board.value(17) == 1:
        assert time.monotonic() < end
        time.sleep(0.01)
    agent.await_answer()
    assert agent.call("led_on", pin=17)["state"] == "on", agent.said()


@pytest.fixture
def cores():
    """The folder where the kernel leaves the core of who may have one, named by its pid."""
    before = CORE_PATTERN.read_text()
    with tempfile.TemporaryDirectory(prefix="pifleet-cores-") as folder:
        CORE_PATTERN.write_text(f"{folder}/%p")
        yield pathlib.Path(folder)
        CORE_PATTERN.write_text(before)


def test_an_agent_that_crashes_leaves_no_core(board, guarded, cores):
    """Writing it takes seconds, for which the dead would look alive."""
    agent = guarded()
    assert agent.call("led_on", pin=17)["state"] == "on"
    crashed = agent.agent_pid()
    with subprocess.Popen(["sleep", "30"]) as other:
        for pid in (crashed, other.pid):
            resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        other.send_signal(signal.SIGABRT)
        agent.kill(signal.SIGABRT)
    assert [core.name for core in cores.iterdir()] == [str(other.pid)]
    assert board.value(17) == 0
    agent.await_answer()
    assert agent.agent_pid() != crashed
