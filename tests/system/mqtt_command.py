"""The subcommands that speak MQTT, and mosquitto's programs, at a broker."""

import itertools
import subprocess

import pytest

from agent_process import SANITIZER_REPORT
from broker_process import running_broker
from command_line import PROGRAM, SECONDS, environment, run


@pytest.fixture
def port():
    with running_broker() as number:
        yield number


def mqtt(*words, port, **more):
    """A subcommand at a broker."""
    done = subprocess.run([PROGRAM, *map(str, words), "--port", str(port)], capture_output=True,
                          env=environment(**more.pop("environment", {})), timeout=SECONDS,
                          check=False, **more)
    assert not SANITIZER_REPORT.search(done.stderr.decode(errors="replace")), done.stderr.decode()
    return done.returncode, done.stdout, done.stderr.decode()


def mosquitto(program, *words, port, **more):
    done = subprocess.run([program, "-p", str(port), "-V", "5", *words], capture_output=True,
                          timeout=SECONDS, check=True, **more)
    return done.stdout


class Subscriber:
    """`pifleet sub`, once its subscription stands: the first it printed was a retained greeting,
    at a topic of its own."""

    numbers = itertools.count()

    def __init__(self, *words, port, greet=True, **more):
        greeting = f"greeting/{next(self.numbers)}"
        if greet:
            mosquitto("mosquitto_pub", "-t", greeting, "-m", "hello", "-r", "-q", "1", port=port)
        self.process = subprocess.Popen(
            [PROGRAM, "sub", *words, *([greeting] if greet else []), "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), **more)
        self.greeting = self.process.stdout.readline() if greet else b""

    def line(self):
        return self.process.stdout.readline()

    def end(self, number=None):
        """Exit status, the rest of what it printed, and what it complained about."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=SECONDS)
        assert not SANITIZER_REPORT.search(err.decode(errors="replace")), err.decode()
        return self.process.returncode, out, err.decode()
