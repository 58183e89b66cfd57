"""A real host as a child process, and this process in the agent's place.

    with Host(PYTHON, source) as host:
        host.load("camera.py")
        host.call("camera_status", {})
"""

import fcntl
import json
import os
import pathlib
import select
import socket
import struct
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PIFLEET_BUILD", TOP / "build-test"))
PYTHON = (os.environ.get("PIFLEET_PYTHON", "/usr/bin/python3"), "-I", "-B",
          str(TOP / "python" / "host" / "__main__.py"))
NATIVE = (str(BUILD / "pifleet-host-c"),)

SECONDS = 60  # that no test waits for, unless something hangs
LENGTH = struct.Struct(">I")
DESCRIPTORS = 64  # as the sandbox has it


class Ended(Exception):
    """The host closed its end."""


class Host:
    """`source`: the module's bytes, or a path to a shared object."""

    def __init__(self, program, source, environment=None, through_pipe=False):
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(SECONDS)
        self.number = 0
        with theirs, _source_file(source, through_pipe) as file:
            self.process = subprocess.Popen(
                program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, close_fds=False, env=environment,
                preexec_fn=lambda: _arrange(theirs.fileno(), file.fileno()))

    def send_bytes(self, data):
        self.ours.sendall(data)

    def send(self, message):
        self.send_bytes(frame(message))

    def receive(self):
        """One frame as a value. Ended: there is none, or not all of it."""
        length, = LENGTH.unpack(self._exactly(LENGTH.size))
        assert length <= 1024 * 1024
        return json.loads(self._exactly(length).decode(), parse_constant=_refuse)

    def _exactly(self, count):
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self.ours.recv(count - len(parts))
            except ConnectionResetError:  # it ended before it had read all that we sent
                part = b""
            if not part:
                raise Ended
            parts += part
        return bytes(parts)

    def load(self, module="camera.py", self_test=False):
        self.send({"load": {"module": module, "self_test": self_test}})
        return self.receive()

    def commands(self, module="camera.py"):
        """Loads, and gives the names of the commands."""
        return [command["name"] for command in self.load(module)["loaded"]["commands"]]

    def call(self, command, request=None):
        """The reply, without its number."""
        self.number += 1
        self.send({"call": self.number, "command": command, "request": request or {}})
        reply = self.receive()
        assert reply.pop("reply") == self.number
        return reply

    def is_silent(self):
        """Nothing to read now. For after the host ended, or said what it had to say."""
        return not select.select([self.ours], [], [], 0)[0]

    def end(self):
        """Closes our end; the exit status, and what was printed to 1 and 2."""
        self.ours.close()
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.close()
        self.process.kill()
        self.process.communicate()


def frame(message):
    data = json.dumps(message).encode()
    return LENGTH.pack(len(data)) + data


def _refuse(name):
    raise AssertionError(f"{name} is not JSON")


def _source_file(source, through_pipe):
    if isinstance(source, pathlib.Path):
        return open(source, "rb")
    if isinstance(source, str):
        source = source.encode()
    if through_pipe:
        reading, writing = os.pipe()
        with open(writing, "wb") as end:
            end.write(source)  # of a test's size: a pipe holds it
        return open(reading, "rb")
    file = open(os.memfd_create("source"), "r+b")
    file.write(source)
    file.flush()
    return file


def _arrange(protocol_fd, source_fd):
    """In the child: the descriptors where the host looks for them, and few more."""
    import resource

    protocol_fd = fcntl.fcntl(protocol_fd, fcntl.F_DUPFD_CLOEXEC, 40)
    source_fd = fcntl.fcntl(source_fd, fcntl.F_DUPFD_CLOEXEC, 40)
    os.dup2(protocol_fd, 3)
    os.dup2(source_fd, 4)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
