"""SIGKILL at any system call leaves no line driven against its safe state.

The real supervisor and agent go through a story: start, lines that are driven, tested and
modulated, a reload, a stop. `kill-at` kills one of them, or both, at one system call of
it. Then every line has to be safe and the next start has to work. In ./dev test-vm a few
calls are tried, evenly spread; in ./dev test-long (-m long) every one before which
something happened that others can tell: kill-at says which, and why the rest leave the same.

The board keeps the level of lines that nobody holds, as Raspberry Pi kernels do: what is
left driven stays so and is seen.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from agent_process import BUILD, SANITIZER_REPORT
from board import Board, levels_are_kept

PATIENCE_SECONDS = 120
SAFE_SECONDS = 10  # emulated, with others; ./dev bench measures
REFUSALS_MAX = 50
WORKERS = 3  # half of the time goes by waiting for the next life; many starve each other
SAMPLES = 5
ENDS_IN_A_ROW = 5  # the count of calls is not the same in each run
HANGS = "its hardware worker hangs"
TRIES = 3
OTHERS_STEP = 3  # odd, so that every other call has a service manager that makes safe
PROGRESS_SECONDS = 30
KILL_AT = BUILD / "tests/vm/kill-at"
# Optimised ones for the exhaustive run, where a folder of them is named.
PROGRAMS = pathlib.Path(os.environ.get("PIFLEET_PROGRAMS", BUILD))
DRIVEN = (17, 27)
TESTED, MODULATED = 22, 23

# linux/gpio.h: struct gpio_v2_line_info and its ioctl.
LINE_INFO_BYTES = 256
GET_LINE_INFO = 3 << 30 | LINE_INFO_BYTES << 16 | 0xB4 << 8 | 0x05
FLAG_OUTPUT = 1 << 3


class Killed(Exception):
    """The story ends here."""


class Refused(Exception):
    """By an agent that ends since its supervisor was killed, or by one that should not."""


class Unsafe(AssertionError):
    """What must not be, however slow the machine is."""


class Starved(Exception):
    """The supervisor held a worker for hung, and ended the story: this machine gave it no time."""


class Place:
    """A board and the folders of a supervisor: one life follows the other in it."""

    def __init__(self, name, safe):
        self.safe = safe
        self.directory = tempfile.TemporaryDirectory(prefix="pifleet-kill-")
        self.path = pathlib.Path(self.directory.name)
        self.run_dir = self.path / "run"
        self.board = Board(name)
        for pin in range(len(self.board.lines)):
            self.board.pull(pin, up=safe == "on")
        config = {"state_dir": str(self.path / "state"), "access": {"mode": "open"},
                  "command": {"port": 0, "socket": str(self.path / "s")},
                  "mqtt": {"port": 0},
                  "http": {"port": 0},
                  "gpio": {"backend": "chardev", "chip": str(self.board.path), "safe": safe}}
        (self.path / "agent.yaml").write_text(json.dumps(config))
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(self.path / "n"))
        self.command = [str(PROGRAMS / "pifleet-supervisor"), "--run-dir", str(self.run_dir)]
        # LeakSanitizer needs ptrace for itself.
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(self.path / "n"),
                            "ASAN_OPTIONS": "detect_leaks=0"}

    def close(self):
        self.notified.close()
        self.board.close()
        self.directory.cleanup()

    def said(self):
        return (self.path / "log").read_text(encoding="utf-8", errors="replace")

    def is_output(self, pin):
        info = bytearray(struct.pack("=32s 32s I", b"", b"", pin).ljust(LINE_INFO_BYTES, b"\0"))
        with open(self.board.path, "rb") as chip:
            fcntl.ioctl(chip, GET_LINE_INFO, info)
        return bool(struct.unpack_from("=Q", info, 72)[0] & FLAG_OUTPUT)

    def unsafe(self, levels):
        """The pins that are not as configured; `levels` is what `hold` has to keep."""
        level = {"off": 0, "on": 1}.get(self.safe)
        return [pin for pin in (*DRIVEN, TESTED, MODULATED) if not self.is_safe(pin, level, levels)]

    def is_safe(self, pin, level, levels):
        value = self.board.value(pin)
        if self.safe == "hold":
            return value == levels.get(pin, value)
        if self.safe == "input":
            return not self.is_output(pin)
        # One that was let go of is an input again.
        return value == level or pin not in DRIVEN and not self.is_output(pin)

    def await_safe(self, levels, seconds):
        end = time.monotonic() + seconds
        while self.unsafe(levels):
            if time.monotonic() >= end:
                raise Unsafe(f"pins {self.unsafe(levels)} are not safe")
            time.sleep(0.002)

    def safe_state(self):
        """What the service manager does when the service has ended in whatever way."""
        result = subprocess.run([*self.command, "--safe-state"], env=self.environment, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert result.returncode == 0, result.stdout


class Run:
    """A supervisor and its agents below kill-at. `process` 0 is the supervisor, 1 its first
    agent, 2 the next."""

    def __init__(self, place, process=0, number=0, whom="alone"):
        self.place = place
        self.decision = None  # ("killed", NUMBER, CALL) or ("ended", COUNT, CALLS)
        self.levels = {}  # what the last reply promised
        with contextlib.suppress(BlockingIOError):
            while place.notified.recv(4096, socket.MSG_DONTWAIT):
                pass
        with open(place.path / "log", "w", encoding="utf-8") as log:
            self.kill_at = subprocess.Popen(
                [KILL_AT, str(process), str(number), whom, *place.command, "--",
                 PROGRAMS / "pifleet-agent", "--config", place.path / "agent.yaml"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=place.environment, bufsize=0)
        self.pid = int(self.kill_at.stdout.readline().split()[1])

    def close(self):
        """Whatever lives still is killed with its tracer."""
        self.kill_at.kill()
        self.kill_at.wait()
        self.kill_at.stdout.close()

    def was_killed(self):
        return bool(self.decision) and self.decision[0] == "killed"

    def _wait(self, *others):
        """For kill-at to decide, or to end, or for one of the others."""
        readable, _, _ = select.select([self.kill_at.stdout, *others], [], [], PATIENCE_SECONDS)
        assert readable, "nothing happens"
        return readable[-1]

    def _hear(self):
        """The decision that kill-at tells; None: it has ended."""
        line = self.kill_at.stdout.readline()
        if line:
            self.decision = tuple(line.decode().split())
        return line

    def await_ready(self):
        """False: something was killed, or all has ended."""
        while True:
            if self._wait(self.place.notified) is self.kill_at.stdout:
                if not self._hear() or self.was_killed():
                    return False
            elif b"READY=1" in self.place.notified.recv(4096).split(b"\n"):
                return True

    def call(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_SECONDS)
            client.connect(str(self.place.path / "s"))
            client.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            with client.makefile() as replies:
                return json.loads(replies.readline())

    def drive(self, command, pin, level, **arguments):
        """One that leaves the pin at a level, once it was answered."""
        self.levels.pop(pin, None)
        for _ in range(REFUSALS_MAX):
            reply = self.call(command, pin=pin, **arguments)
            if reply["success"]:
                self.levels[pin] = level
                return
            # A supervisor that has to wait for its turn for a second is no answer to this
            # test's question; an agent that stops says the same, and then nothing more.
            if reply["code"] != "NOT_READY":
                break
        raise Refused(reply)

    def signal(self, number):
        # The process is there until kill-at has seen its end; nobody else gets its number
        # meanwhile that would mind.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def agent(self):
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return int(children.read_text().split()[0])

    def _begin(self):
        if not self.await_ready():
            raise Killed
        for pin in DRIVEN:
            self.drive("led_on", pin, 1)
        # A test puts back what was there: with `hold`, what a kill in the middle of one left.
        before = self.place.board.value(TESTED)
        self.drive("gpio_test", TESTED, before, times=1, interval=0.01)
        self.drive("pwm_set", MODULATED, 1, value=1)

    def _go_on(self):
        self.signal(signal.SIGHUP)
        self.call("get_status")
        self.drive("led_off", DRIVEN[1], 0)
        self.drive("led_on", DRIVEN[1], 1)
        self.signal(signal.SIGTERM)

    def story(self, lives):
        """From start to stop; it is over sooner when something was killed."""
        trouble = None
        try:
            for _ in range(lives - 1):
                self._begin()
                os.kill(self.agent(), signal.SIGKILL)
            self._begin()
            self._go_on()
        except Killed:
            pass
        except (Refused, OSError, ValueError) as failure:
            trouble = failure  # an agent that was killed does not answer
        while not self.decision:
            self._wait()
            self._hear()
        if trouble and not self.was_killed():
            raise trouble

    def serves(self):
        """Does what every start has to do."""
        try:
            self.drive("led_on", DRIVEN[0], 1)
        except (OSError, ValueError):
            return False  # that was the readiness of the one before
        return self.place.board.value(DRIVEN[0]) == 1

    def await_next(self):
        """Until the next agent serves and was stopped, which is true, or the end."""
        while self.await_ready():
            if self.serves():
                self.signal(signal.SIGTERM)
                return self.end() == 0
        return False

    def end(self):
        return self.kill_at.wait(PATIENCE_SECONDS)


def start_anew(place):
    """A start, and a stop, in what was left behind."""
    run = Run(place)
    try:
        assert run.await_ready()
        place.await_safe({}, 0)
        assert run.serves()
        run.signal(signal.SIGTERM)
        assert run.end() == 0
        place.await_safe({}, 0)
        assert list(place.run_dir.iterdir()) == []
    finally:
        run.close()


def try_call(place, process, number, whom):
    """Kills at one call. The decision of kill-at: ("ended", …): there is no such call."""
    run = Run(place, process, number, whom)
    said = ""
    try:
        run.story(max(process, 1))
        if not run.was_killed():
            assert run.end() == 0
            place.await_safe(run.levels, 0)
            return run.decision
        levels = dict(run.levels)
        supervisor_lives = process > 0 and whom == "alone"
        if supervisor_lives:
            place.await_safe(levels, SAFE_SECONDS)
        goes_on = supervisor_lives and run.await_next()
        run.end()
        said = place.said()
        # Without a service manager it is the next supervisor that makes safe.
        if number % 2 == 0:
            place.safe_state()
            place.await_safe(levels, 0)
        if not goes_on:
            start_anew(place)
        return run.decision
    except Exception as failure:
        told = f"{run.decision}: {failure!r}\n{said}\n{place.said()}"
        starved = HANGS in told and not isinstance(failure, Unsafe)
        raise (Starved if starved else AssertionError)(told) from failure
    finally:
        said = said or place.said()
        assert not SANITIZER_REPORT.search(said), said
        run.close()


def try_call_in_time(place, *what):
    """The same, again when the machine was too slow; a worker that hangs does so again."""
    for _ in range(TRIES - 1):
        try:
            return try_call(place, *what)
        except Starved:
            place.safe_state()
    return try_call(place, *what)


class Numbers:
    """Which calls are tried, one for each who asks: those that are given, or each
    `step`-th until there are no more."""

    def __init__(self, chosen=None, step=1):
        self.lock = threading.Lock()
        self.chosen = chosen
        self.step = step
        self.next = 0
        self.ends = 0

    def take(self):
        with self.lock:
            self.next += self.step
            if self.chosen is None:
                return self.next if self.ends < ENDS_IN_A_ROW else None
            return self.chosen.pop() if self.chosen else None

    def tell(self, decision):
        with self.lock:
            self.ends = self.ends + 1 if decision[0] == "ended" else 0


def work(name, safe, process, whom, numbers, tried, failures):
    place = Place(name, safe)
    try:
        while not failures and (number := numbers.take()) is not None:
            decision = try_call_in_time(place, process, number, whom)
            numbers.tell(decision)
            if decision[0] == "killed":
                tried.append(number)
    except Exception as failure:  # told by the test
        failures.append(failure)
    finally:
        place.close()


def try_calls(safe, process, whom, numbers, tell=lambda tried: None):
    """The numbers of the calls; `tell` hears of them now and then."""
    tried, failures = [], []
    with levels_are_kept():
        workers = [threading.Thread(target=work, args=(f"kill{i}", safe, process, whom, numbers,
                                                       tried, failures)) for i in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PROGRESS_SECONDS)
            while worker.is_alive():
                tell(tried)
                worker.join(PROGRESS_SECONDS)
        tell(tried)
    if failures:
        raise failures[0]
    return tried


def count_of_calls(safe, process, whom):
    with levels_are_kept():
        place = Place("count", safe)
        try:
            decision = try_call_in_time(place, process, 0, whom)
        finally:
            place.close()
    assert decision[0] == "ended"
    return int(decision[1]), int(decision[2])


# SAFE, PROCESS (0: the supervisor, 1: the agent, 2: the agent after a crash), WHOM.
TARGETS = {
    "agent": ("off", 1, "alone"),
    "supervisor": ("off", 0, "alone"),
    "both-at-a-call-of-the-supervisor": ("off", 0, "all"),
    "both-at-a-call-of-the-agent": ("off", 1, "all"),
    "agent-after-a-crash": ("off", 2, "alone"),
    "agent-on": ("on", 1, "alone"),
    "both-on": ("on", 1, "all"),
    "agent-hold": ("hold", 1, "alone"),
    "agent-hold-after-a-crash": ("hold", 2, "alone"),
    "both-hold": ("hold", 0, "all"),
    "agent-input": ("input", 1, "alone"),
    "both-input": ("input", 0, "all"),
}


@pytest.mark.parametrize("target", ["agent", "supervisor", "both-at-a-call-of-the-supervisor",
                                    "both-on", "agent-hold-after-a-crash", "agent-input"])
def test_a_kill_at_some_system_calls(target):
    safe, process, whom = TARGETS[target]
    count, _ = count_of_calls(safe, process, whom)
    # The last of them: a stop has the fewest calls, and the most to lose.
    chosen = [count * (i + 1) // SAMPLES - 1 for i in range(SAMPLES)]
    tried = try_calls(safe, process, whom, Numbers(chosen))
    print(f"{target}: {len(tried)} of {count} calls")
    assert len(tried) >= SAMPLES // 2


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_a_kill_at_every_system_call(target, capsys):
    """Of the default; what differs with other safe states is the last word only, and there
    every third call is taken."""
    safe, process, whom = TARGETS[target]
    start = time.monotonic()
    step = 1 if safe == "off" else OTHERS_STEP
    count, calls = count_of_calls(safe, process, whom)

    def tell(tried):
        with capsys.disabled():
            print(f"{target}: {len(tried)} of {count // step}, {time.monotonic() - start:.0f} s",
                  flush=True)

    with capsys.disabled():
        print(f"\n{target}: {count} of {calls} calls differ by what they leave", flush=True)
    tried = try_calls(safe, process, whom, Numbers(step=step), tell)
    # How many there are is not the same in each run, but about.
    assert len(tried) > count // step * 3 // 4
