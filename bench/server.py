"""The servers under comparison: how each is started, asked and stopped."""

import contextlib
import os
import random
import shutil
import signal
import socket
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"


class Unusable(Exception):
    """A sentence that says what is missing or went wrong, and what to do."""


class Peer:
    """One kind of server. `arguments(port, directory)` is its command line;
    `protocol` a row of protocol.c; `line` the same request for bench-flood; `has_pins`: it
    can be asked in the protocol `pin` as well."""

    def __init__(self, name, protocol, line, program, arguments, has_pins=True):
        self.name = name
        self.protocol = protocol
        self.has_pins = has_pins
        self.line = line
        self.program = program
        self.arguments = arguments

    def command(self, port, directory):
        return [str(self.program), *self.arguments(port, directory)]


def peers(build, agent):
    """All of them by name, in the order of a round."""
    redis = shutil.which("redis-server")
    ping = '{"command":"ping"}'
    return {
        peer.name: peer
        for peer in (
            Peer("agent", "json", ping, agent,
                 lambda port, directory: ["--port", str(port), "--state-dir", directory]),
            # Protected mode would refuse the source addresses 127.0.0.2 and up.
            Peer("redis", "resp", "PING", redis,
                 lambda port, directory: [
                     "--port", str(port), "--bind", "127.0.0.1", "--protected-mode", "no",
                     "--save", "", "--appendonly", "no", "--daemonize", "no",
                     "--maxclients", "11000", "--dir", directory], has_pins=False),
            Peer("python", "json", ping, PYTHON,
                 lambda port, _: [str(HERE / "peers" / "threaded-server.py"), str(port)]),
            Peer("echo", "echo", ping, tool(build, "bench-echo"), lambda port, _: [str(port)]),
        )
    }


def tool(build, name):
    for place in (build / name, build / "bench" / name):
        if place.exists():
            return place
    raise Unusable(f"{build} has no {name}: build it first, with ./dev build")


def check_usable(peer):
    if peer.program and os.access(peer.program, os.X_OK):
        return
    if peer.name == "redis":
        raise Unusable("redis-server is missing: apt-get install redis-server")
    raise Unusable(f"{peer.program} is missing: build it first, with ./dev build")


def free_port():
    """Below the range from which the kernel takes the ports of clients: there,
    the tries to connect before the server listens could meet themselves."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = range(1024, lowest) if lowest > 2048 else range(61000, 65536)
    for _ in range(1000):
        port = random.choice(candidates)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Unusable("no free port on 127.0.0.1")


class Server:
    """A running peer, pinned to the cores `cpus`, with a fresh directory and a free
    port. Use it in a `with`; start_seconds is exec to first reply."""

    PATIENCE_SECONDS = 15

    def __init__(self, peer, cpus, own_cpus, directory):
        self.peer = peer
        self.port = free_port()
        self.directory = Path(directory) / f"{peer.name}-{self.port}"
        self.directory.mkdir()
        self.log = self.directory.with_suffix(".log")
        self.pid = self._spawn(cpus, own_cpus)
        try:
            self._await_reply()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _spawn(self, cpus, own_cpus):
        command = self.peer.command(self.port, str(self.directory))
        output = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        # The child inherits the cores it may run on; we leave them at once, so
        # that asking does not take from what is measured.
        os.sched_setaffinity(0, cpus)
        try:
            self.began = time.monotonic()
            return os.posix_spawn(command[0], command, os.environ, file_actions=output)
        finally:
            os.sched_setaffinity(0, own_cpus)

    def _asked(self, connection):
        """Whether it replies."""
        connection.sendall(self.peer.line.encode() + b"\n")
        return connection.makefile("rb").readline().endswith(b"\n")

    def _await_reply(self):
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    replied = self._asked(connection)
                    self.start_seconds = time.monotonic() - self.began
                    if not replied:
                        raise Unusable(self.words("closed the connection instead of a reply"))
                    return
            except ConnectionRefusedError:
                pass
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self.pid = 0
                raise Unusable(self.words("ended at once"))
            if time.monotonic() - self.began > self.PATIENCE_SECONDS:
                raise Unusable(self.words("does not answer"))

    def words(self, event):
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return "\n  ".join([f"{self.peer.name} {event}; its last words:", *lines])

    def stop(self):
        """SIGTERM, and SIGKILL for who does not heed it."""
        if not self.pid:
            return
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
            time.sleep(0.005)
        self.pid = 0

    def memory(self):
        """Bytes: {"pss": …, "anonymous": …, "rss": …, "private": …}. What a connection adds is in
        `anonymous`; `pss` shrinks when somebody else maps the same libraries."""
        figures = {}
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]:
            key, kibibytes = line.split()[:2]
            figures[key.rstrip(":")] = int(kibibytes) * 1024
        return {
            "pss": figures["Pss"],
            "anonymous": figures["Pss_Anon"],
            "rss": figures["Rss"],
            "private": figures["Private_Clean"] + figures["Private_Dirty"],
        }
