"""pifleet-broker with a configuration, and what it says while it runs."""

import contextlib
import os
import queue
import re
import signal
import socket
import struct
import subprocess
import threading

from agent_process import BUILD, SANITIZER_REPORT
from mqtt_bytes import CONNECT, Bytes, packet, properties, text

SECONDS = 20
PROGRAM = BUILD / "pifleet-broker"


class Configured:
    """A broker that runs, with the lines that it logs."""

    def __init__(self, path, arguments=(), environment=None, preexec=None):
        self.path = path
        self.process = subprocess.Popen([PROGRAM, "-c", path, *arguments], stderr=subprocess.PIPE,
                                        text=True, env={**os.environ, **(environment or {})},
                                        preexec_fn=preexec)
        self.said, self._lines = [], queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, pattern):
        """The match of the next line that has it."""
        while True:
            line = self._lines.get(timeout=SECONDS)
            if line is None:
                self._lines.put(None)
                raise AssertionError(f"ended before it said {pattern!r}: {''.join(self.said)}")
            self.said.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def listening(self):
        """The port of the next listener that opens."""
        return int(self.until(r"listening address=\S*?(\d+)? ").group(1) or 0)

    def hang_up(self, text=None, name=None):
        """Reads its configuration again, a new one perhaps."""
        if text is not None:
            (self.path if name is None else self.path.parent / name).write_text(text)
        self.process.send_signal(signal.SIGHUP)

    def end(self, number=signal.SIGTERM):
        """Its exit status, and all that it has said."""
        self.process.send_signal(number)
        try:
            status = self.process.wait(timeout=SECONDS)
        finally:
            self.process.kill()
        self._reader.join(timeout=SECONDS)
        while (line := self._lines.get(timeout=SECONDS)) is not None:
            self.said.append(line)
        said = "".join(self.said)
        assert not SANITIZER_REPORT.search(said), said
        return status, said


@contextlib.contextmanager
def configured(folder, words, name="broker.yaml", **options):
    """One that has to end well."""
    path = folder / name
    path.write_text(words)
    broker = Configured(path, **options)
    try:
        yield broker
    except BaseException:
        broker.process.kill()
        raise
    status, said = broker.end()
    assert status == 0, said


def ends_at_once(*arguments):
    """Exit status and words of one that does not start."""
    ended = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                           timeout=SECONDS, check=False)
    assert not SANITIZER_REPORT.search(ended.stderr), ended.stderr
    return ended.returncode, ended.stderr + ended.stdout


class Over(Bytes):
    """A client over a stream that is connected already."""

    def __init__(self, connected, *said):  # pylint: disable=super-init-not-called
        self.socket, self.received = connected, bytearray()
        connected.settimeout(SECONDS)
        if said:
            self.say(*said)


def login(name, user=None, password=None, version=5, keep_alive=0):
    """CONNECT with what somebody knows."""
    flags = 2 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    protocol = {3: "MQIsdp", 4: "MQTT", 5: "MQTT"}[version]
    body = text(protocol) + struct.pack(">BBH", version, flags, keep_alive)
    body += properties() if version == 5 else b""
    body += text(name)
    body += b"".join(text(one) for one in (user, password) if one is not None)
    return packet(CONNECT, body)


def answer(port, *packets, host="127.0.0.1"):
    """What CONNACK says to them: its code and its properties."""
    with Over(socket.create_connection((host, port), timeout=SECONDS), *packets) as client:
        content = client.expect(2)
        return content[1], content[3:]
