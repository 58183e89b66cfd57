"""The real pifleet-broker as a child process, on a port of its own."""

import contextlib
import re
import signal
import subprocess

from agent_process import BUILD, SANITIZER_REPORT

SECONDS = 20


@contextlib.contextmanager
def running_broker():
    """The port of a broker that has to end well."""
    process = subprocess.Popen([BUILD / "pifleet-broker", "-p", "0"], stderr=subprocess.PIPE,
                               text=True)
    try:
        line = process.stderr.readline()
        yield int(re.search(r"address=127\.0\.0\.1:(\d+)", line).group(1))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            said = process.communicate(timeout=SECONDS)[1]
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert not SANITIZER_REPORT.search(said), said
