"""A pifleet-broker with listeners of every kind, users, rules and certificates."""

import base64
import contextlib
import hashlib
import os
import queue
import re
import signal
import subprocess
import threading

from agent_process import BUILD, SANITIZER_REPORT
from broker_process import SECONDS

# Where clients come in: with TLS, with a certificate that has run out, and where they have to
# show one of their own.
LISTENERS = ("mqtt", "mqtts", "ws", "wss", "mqtts-expired", "wss-expired", "mqtts-shown",
             "wss-shown")

CONFIGURATION = """
access:
  anonymous: none
  users:
    - {{name: ann, hash: "{ann}"}}
    - {{name: witness, hash: "{witness}"}}
  acl:
    - {{user: ann, allow: readwrite, topic: "room/#"}}
    - {{user: sensor, allow: readwrite, topic: "room/%u"}}
    - {{user: witness, allow: read, topic: "#"}}
log:
  level: debug
listeners:
"""

PASSWORDS = {"ann": "a long secret", "witness": "another"}


def stored(password):
    """A hash as mosquitto's files have it, of few iterations: a test logs in often."""
    salt = os.urandom(12)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 100)
    return "$7$100$" + "$".join(base64.b64encode(part).decode() for part in (salt, made))


def listener_line(name, certificates):
    """As YAML."""
    words = [f"name: {name}", "host: 127.0.0.1", "port: 0"]
    if name.startswith("ws"):
        words.append("protocol: http")
    if name.startswith(("mqtts", "wss")):
        certificate, key = certificates["expired" if name.endswith("expired") else "server"]
        words += [f"certificate: {certificate}", f"key: {key}"]
    if name.endswith("shown"):
        words += ["client_certificates: required", "certificate_user: common_name",
                  f"authorities: {certificates['authority']}"]
    return f"  - {{{', '.join(words)}}}\n"


class SecuredBroker:
    """One that runs; what it said can be waited for."""

    def __init__(self, folder, certificates):
        path = folder / "broker.yaml"
        hashes = {name: stored(password) for name, password in PASSWORDS.items()}
        path.write_text(CONFIGURATION.format(**hashes) +
                        "".join(listener_line(name, certificates) for name in LISTENERS))
        self.process = subprocess.Popen([BUILD / "pifleet-broker", "-c", path],
                                        stderr=subprocess.PIPE, text=True)
        self.lines, self.all = queue.Queue(), []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.ports = {name: int(self.find(r"listening address=127\.0\.0\.1:(\d+)").group(1))
                      for name in LISTENERS}

    def read(self):
        for line in self.process.stderr:
            self.all.append(line)
            self.lines.put(line)
        self.lines.put("")

    def find(self, pattern):
        """The next line of its log that has this."""
        while line := self.lines.get(timeout=SECONDS):
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} is not in:\n{''.join(self.all)}")

    def url(self, name):
        scheme = name.split("-")[0]
        path = "/mqtt" if scheme.startswith("ws") else ""
        return f"{scheme}://127.0.0.1:{self.ports[name]}{path}"

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.reader.join()
            self.process.stderr.close()
        said = "".join(self.all)
        assert status == 0, said
        assert not SANITIZER_REPORT.search(said), said


@contextlib.contextmanager
def secured_broker(folder, certificates):
    """A broker that has to end well."""
    broker = SecuredBroker(folder, certificates)
    try:
        yield broker
    finally:
        broker.end()
