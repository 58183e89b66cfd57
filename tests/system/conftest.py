"""Fixtures of the system tests.

agent          a running agent: open mode, simulated chip, ports of its own
start_agent    the same by hand: start_agent(config={...}, arguments=[...], tls=True)

Each agent must end well: the fixtures stop those that still run, and fail the
test when the exit status is not 0 or a sanitizer had something to say.
"""

import os
import signal

import pytest

from agent_process import Agent

# For runs without ./dev test, which sets them too.
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1")
os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")


@pytest.fixture
def start_agent():
    agents = []

    def start(**options):
        agents.append(Agent(**options))
        return agents[-1]

    yield start
    try:
        for agent in agents:
            if agent.is_running():
                assert agent.stop() == 0, agent.stderr()
            else:
                assert agent.process.returncode in (0, -signal.SIGKILL), agent.stderr()
    finally:
        for agent in agents:
            agent.close()


@pytest.fixture
def agent(start_agent):
    return start_agent()
