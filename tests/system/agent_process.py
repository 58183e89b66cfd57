"""The real pifleet-agent as a child process, in a directory of its own."""

import contextlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from line_client import connect_tcp, connect_unix
from ports import free_port

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PIFLEET_BUILD", TOP / "build-test"))

START_SECONDS = 60
STOP_SECONDS = 30

SANITIZER_REPORT = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")


class DidNotStart(Exception):
    """Carries the exit status and what the agent said."""

    def __init__(self, status, stderr):
        super().__init__(f"exit status {status}: {stderr}")
        self.status = status
        self.stderr = stderr


def merged(under, over):
    """Two configurations, section by section; `over` wins key by key."""
    both = dict(under)
    for section, value in over.items():
        if isinstance(value, dict) and isinstance(both.get(section), dict):
            value = {**both[section], **value}
        both[section] = value
    return both


class Agent:
    """Started when the constructor returns. Killed and cleaned up by close()."""

    def __init__(self, config=None, arguments=(), environment=None, tls=False, launcher=(),
                 owner=None):
        # Not pytest's tmp_path: a Unix socket's path has room for 107 bytes.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pifleet-"))
        self.socket = self.directory / "agent.sock"
        self.state = self.directory / "state"
        self.log = self.directory / "stderr"
        if owner is not None:
            os.chown(self.directory, owner, owner)
        self.process = None
        self.tls_port = 0
        self.launcher = list(launcher)
        self.options = config or {}, list(arguments), environment or {}, tls
        try:
            self._start_anew()
        except BaseException:
            self.close()
            raise

    def _start_anew(self):
        config, arguments, environment, tls = self.options
        self.port = free_port()
        self.tls_port = free_port() if tls else 0
        self._write_config(config)
        self._start(arguments, environment)

    def restart(self):
        """Once it has ended: on the state that it left, at a new port."""
        assert not self.is_running()
        self._start_anew()

    def _write_config(self, config):
        base = {
            "command": {"host": "127.0.0.1", "port": self.port, "socket": str(self.socket),
                        "tls_port": self.tls_port},
            "access": {"mode": "open"},
            "gpio": {"backend": "simulated"},
            "mqtt": {"port": 0},
            "http": {"port": 0},
        }
        # JSON is YAML.
        (self.directory / "agent.yaml").write_text(json.dumps(merged(base, config)))

    def _start(self, arguments, environment):
        ready_path = self.directory / "notify"
        ready_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(ready_path))
            ready_path.chmod(0o777)
            with open(self.log, "wb") as stderr:
                self.process = subprocess.Popen(
                    [*self.launcher, BUILD / "pifleet-agent",
                     "--config", self.directory / "agent.yaml",
                     "--state-dir", self.state, *arguments],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                    env={**os.environ, "NOTIFY_SOCKET": str(ready_path), **environment})
            self._await_ready(ready)

    def _await_ready(self, ready):
        """Returns at READY=1; never sleeps, wakes at once when the process ends."""
        ended = os.pidfd_open(self.process.pid)
        try:
            while True:
                readable, _, _ = select.select([ready, ended], [], [], START_SECONDS)
                if ready in readable:
                    if b"READY=1" in ready.recv(4096).split(b"\n"):
                        return
                elif ended in readable:
                    raise DidNotStart(self.process.wait(), self.stderr())
                else:
                    raise DidNotStart("none: not ready in time", self.stderr())
        finally:
            os.close(ended)

    def await_handlers(self):
        """What an agent does in the background once it serves is done: modules were read from
        the disk, the spawner of their processes is there."""
        end = time.monotonic() + START_SECONDS
        with self.connect() as client:
            while True:
                handlers = client.call("get_status").get("handlers")
                if handlers["ready"] and handlers["spawner"]:
                    return
                if time.monotonic() > end:
                    raise DidNotStart("none: no handlers in time", self.stderr())
                time.sleep(0.005)

    def stderr(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def connect(self):
        return connect_tcp(self.port)

    def connect_unix(self):
        return connect_unix(self.socket)

    def call(self, request):
        """One request on a connection of its own: a dict there, a dict back."""
        with self.connect() as client:
            client.send(json.dumps(request).encode() + b"\n")
            return client.receive()

    def is_running(self):
        return self.process.poll() is None

    def stop(self, number=signal.SIGTERM):
        """Signals, and waits for the end. For an agent that was signalled already: wait()."""
        if self.is_running():
            self.process.send_signal(number)
        return self.wait()

    def wait(self):
        """The exit status (-N: killed by signal N). A report of a sanitizer is a failure
        whatever the status says."""
        said, _ = self.process.communicate(timeout=STOP_SECONDS)
        assert not SANITIZER_REPORT.search(self.stderr()), self.stderr()
        assert said == b"", "the agent has nothing to say on its standard output"
        return self.process.returncode

    def close(self):
        if self.process:
            if self.is_running():
                self.process.kill()
            self.process.communicate()
        shutil.rmtree(self.directory, ignore_errors=True)


@contextlib.contextmanager
def agents_that_end_well():
    """Starts agents: `with agents_that_end_well() as start: agent = start(config={...})`.

    Those that still run at the end are stopped; each must have ended with 0 or by a
    SIGKILL, which was the test's."""
    agents = []

    def start(**options):
        agents.append(Agent(**options))
        return agents[-1]

    try:
        yield start
        for agent in agents:
            if agent.is_running():
                assert agent.stop() == 0, agent.stderr()
            else:
                assert agent.process.returncode in (0, -signal.SIGKILL), agent.stderr()
    finally:
        for agent in agents:
            agent.close()
