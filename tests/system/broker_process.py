"""The real pifleet-broker as a child process, on a port of its own."""

import contextlib
import os
import re
import signal
import subprocess
import typing

from agent_process import BUILD, SANITIZER_REPORT

SECONDS = 20


class Broker(typing.NamedTuple):
    """One that runs: where, and as which process."""
    port: int
    http_port: int
    pid: int


@contextlib.contextmanager
def broker_process(environment=None, build=BUILD):
    """A broker that has to end well."""
    process = subprocess.Popen([build / "pifleet-broker", "-p", "0", "-w", "0"],
                               stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(environment or {})})
    try:
        ports = [int(re.search(r"address=127\.0\.0\.1:(\d+)", line).group(1))
                 for line in (process.stderr.readline(), process.stderr.readline())]
        yield Broker(*ports, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            said = process.communicate(timeout=SECONDS)[1]
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert not SANITIZER_REPORT.search(said), said


@contextlib.contextmanager
def running_broker():
    """The port of one."""
    with broker_process() as broker:
        yield broker.port
