"""Fixtures of the system tests.

agent          a running agent: open mode, simulated chip, ports of its own
start_agent    the same by hand: start_agent(config={...}, arguments=[...], tls=True)
tell           tell("half of it") shows how far a test of minutes is

Each agent must end well: the fixtures stop those that still run, and fail the
test when the exit status is not 0 or a sanitizer had something to say.
"""

import os

import pytest

from agent_process import agents_that_end_well

# For runs without ./dev test, which sets them too.
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1")
os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")


@pytest.fixture
def start_agent():
    with agents_that_end_well() as start:
        yield start


@pytest.fixture
def agent(start_agent):
    started = start_agent()
    started.await_handlers()
    return started


@pytest.fixture
def tell(capsys):
    def show(line):
        with capsys.disabled():
            print(f"\n{line}", end="", flush=True)

    return show
