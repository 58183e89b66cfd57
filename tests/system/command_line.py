"""The command line program `pifleet`, run as people and scripts run it.

    status, out, err = run("call", "ping", "--port", fake.port)
    status, shown = on_terminal("call", "ping", "--port", fake.port)
"""

import os
import pty
import select
import subprocess
import time

import pytest

from agent_process import BUILD, SANITIZER_REPORT

PROGRAM = BUILD / "pifleet"
SECONDS = 60

OK, REFUSED, USAGE, NO_CONNECTION = 0, 1, 2, 3

needs_agent = pytest.mark.skipif(not (BUILD / "pifleet-agent").exists(),
                                 reason="pifleet-agent is not built here")

# What an agent answers that has nothing to complain about.
STATUS = {"success": True, "type": "get_status", "timestamp": 1.5, "device_id": "pi-1",
          "version": "0.1.0", "uptime": 3661}


def environment(**more):
    clean = {k: v for k, v in os.environ.items()
             if k not in ("PIFLEET_TOKEN", "PIFLEET_PASSWORD", "NO_COLOR")}
    return {**clean, "TERM": "xterm", "TZ": "UTC", **more}


def run(*words, stdin=b"", **more):
    done = subprocess.run([PROGRAM, *map(str, words)], input=stdin, capture_output=True,
                          env=environment(**more), timeout=SECONDS, check=False)
    assert not SANITIZER_REPORT.search(done.stderr.decode(errors="replace")), done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *words, **more):
        self.master, slave = pty.openpty()
        self.slave_name = os.ttyname(slave)
        self.seen = b""
        self.process = subprocess.Popen([PROGRAM, *map(str, words)], stdin=slave, stdout=slave,
                                        stderr=slave, env=environment(**more),
                                        start_new_session=True)
        self.slave = slave

    def read_until(self, text):
        deadline = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.master], [], [], 1)[0]:
                self.seen += os.read(self.master, 4096)

    def type(self, data):
        os.write(self.master, data)

    def end(self):
        """What was shown, and the exit status."""
        status = self.process.wait(timeout=SECONDS)
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        os.close(self.slave)
        os.close(self.master)
        shown = self.seen.decode().replace("\r\n", "\n")
        assert not SANITIZER_REPORT.search(shown), shown
        return status, shown


def on_terminal(*words, **more):
    return Terminal(*words, **more).end()
