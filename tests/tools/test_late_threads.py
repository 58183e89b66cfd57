"""tests/support/late-threads.c: who is late, and that the others are not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LATE = Path(os.environ["PIFLEET_BUILD"]) / "tests" / "support" / "liblate-threads.so"

# 400 calls of each thread; one in four of a late one takes half a millisecond in the mean.
PROGRAM = """
import os, threading, time
zero = os.open("/dev/zero", os.O_RDONLY)
took = {}
def call(name):
    began = time.monotonic()
    for _ in range(400):
        os.read(zero, 1)
    took[name] = time.monotonic() - began
call("loop")
other = threading.Thread(target=call, args=("pool",))
other.start()
other.join()
print(max(took, key=took.get))
"""


def run(who):
    environment = {**os.environ, "LD_PRELOAD": str(LATE), "PIFLEET_LATE": who}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True,
                          text=True)


@pytest.mark.parametrize("who", ["loop", "pool"])
def test_who_is_named_is_late(who):
    said = run(who)
    assert (said.returncode, said.stdout) == (0, f"{who}\n"), said.stderr


def test_a_name_that_is_none_ends_the_program():
    said = run("nobody")
    assert said.returncode < 0
    assert "PIFLEET_LATE is loop, pool or any" in said.stderr
