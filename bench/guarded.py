"""The agent under its supervisor, with lines in use: what is measured of the two
together. The programs are those that users run; see stand-in-chip.c for the lines."""

import contextlib
import json
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

from server import Unusable, tool

# The header's, but for the two that name its board's memory.
PINS = range(2, 22)
PATIENCE_SECONDS = 20


class Record:
    """When levels were set, and by whom: struct record of stand-in-chip.c."""

    HEAD = struct.Struct("=I12x")
    DRIVE = struct.Struct("=QII")
    DRIVES_MAX = 4095

    def __init__(self, path):
        self.path = path
        size = self.HEAD.size + self.DRIVES_MAX * self.DRIVE.size
        path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), size)

    def drives(self):
        """[(seconds, process, lines)] in the order in which they began."""
        count = min(self.HEAD.unpack_from(self.memory)[0], self.DRIVES_MAX)
        found = [self.DRIVE.unpack_from(self.memory, self.HEAD.size + i * self.DRIVE.size)
                 for i in range(count)]
        return [(ns / 1e9, process, lines) for ns, process, lines in found if ns]

    def lines_set(self, process, after, wanted):
        """When the process had set that many lines since then; None: it has not. What
        it sets beyond them is the second trigger, which finds them set."""
        for seconds, driver, lines in sorted(self.drives()):
            if driver == process and seconds >= after:
                wanted -= lines
                if wanted <= 0:
                    return seconds
        return None

    def close(self):
        self.memory.close()


class Programs:
    """Where they are, and where their files go (in memory, so that no disk is waited for)."""

    def __init__(self, build, agent, directory):
        self.agent = agent
        self.supervisor = tool(build, "pifleet-supervisor")
        self.chip = tool(build, "bench-stand-in-chip.so")
        self.directory = Path(directory)
        # In a machine that has one (tests/vm), a chip of the kernel.
        self.real_chip = "PIFLEET_GPIO_SIM" in os.environ
        self.started = 0

    def fresh_directory(self):
        self.started += 1
        place = self.directory / f"guarded-{self.started}"
        place.mkdir()
        return place


@contextlib.contextmanager
def undelayed():
    """Before every busy loop, and behind what a supervisor does: between our clock and
    our signal nobody else shall have the processor. Without the right to it, as it is."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(5))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Guarded:
    """One life of supervisor and agent, serving and with `pins` driven on. Use it in
    a `with`. `ballast_mb`: by how much the agent is larger than it would be."""

    def __init__(self, programs, pins=PINS, ballast_mb=0):
        self.directory = programs.fresh_directory()
        self.pins = list(pins)
        self.record = Record(self.directory / "record")
        self.log = self.directory / "log"
        gpio = {"backend": "chardev", "safe": "off"}
        if not programs.real_chip:
            gpio["chip"] = "/dev/ptmx"
        config = {"state_dir": str(self.directory / "state"), "access": {"mode": "open"},
                  "command": {"port": 0, "socket": str(self.directory / "s")}, "gpio": gpio,
                  "mqtt": {"port": 0},
                  "http": {"port": 0}}
        (self.directory / "agent.yaml").write_text(json.dumps(config))
        with self.log.open("w") as log:
            self.supervisor = subprocess.Popen(
                [programs.supervisor, "--run-dir", self.directory / "run", "--",
                 programs.agent, "--config", self.directory / "agent.yaml"],
                env={**os.environ, "LD_PRELOAD": str(programs.chip.resolve()),
                     "PIFLEET_BENCH_RECORD": str(self.record.path),
                     "PIFLEET_BENCH_BALLAST_MB": str(ballast_mb)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._await_service()
            self._drive()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @contextlib.contextmanager
    def _connection(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_SECONDS)
            client.connect(str(self.directory / "s"))
            with client.makefile("rw") as stream:
                yield stream

    @staticmethod
    def _ask(stream, **request):
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        return json.loads(stream.readline())

    def _await_service(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._connection() as stream:
                    if self._ask(stream, command="get_status")["guarded"]:
                        break
            except (OSError, ValueError):
                pass
            if self.supervisor.poll() is not None or time.monotonic() > end:
                raise Unusable(self.words("does not serve"))
            time.sleep(0.002)
        children = Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children")
        self.agent_pid = int(children.read_text().split()[0])

    def _drive(self):
        with self._connection() as stream:
            for pin in self.pins:
                reply = self._ask(stream, command="led_on", pin=pin)
                if not reply.get("success"):
                    raise Unusable(self.words(f"refused pin {pin}: {reply.get('error')}"))

    def words(self, event):
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return "\n  ".join([f"the guarded agent {event}; last words:", *lines])

    def said(self, words):
        return words in self.log.read_text(errors="replace")

    def agent_memory(self):
        """Bytes resident."""
        for line in Path(f"/proc/{self.agent_pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Unusable(self.words("is gone"))

    def kill_agent(self):
        """SIGKILL. Returns the seconds until the supervisor had set all lines, by the
        clock that was read just before the signal was sent."""
        end = time.monotonic() + PATIENCE_SECONDS
        with undelayed():
            killed = time.monotonic()
            os.kill(self.agent_pid, signal.SIGKILL)
        while True:
            # Our own looking must not be in the way: it sleeps nearly always.
            time.sleep(0.005)
            safe = self.record.lines_set(self.supervisor.pid, killed, len(self.pins))
            if safe is not None:
                return safe - killed
            if time.monotonic() > end:
                raise Unusable(self.words("died, and its lines were not made safe"))

    def seen_by(self):
        """After the kill: what told the supervisor, "futex" or "pidfd"."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = re.search(r"the agent ended .* seen=(\w+)", self.log.read_text())
            if found:
                return found[1]
            time.sleep(0.005)
        raise Unusable(self.words("died, and its supervisor does not say so"))

    def close(self):
        if self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
                self.supervisor.wait()
        self.record.close()


@contextlib.contextmanager
def busy_loops(count):
    """Processes that compute, for as long as the `with` lasts."""
    started = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()
