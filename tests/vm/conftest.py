"""Fixtures of the tests that need a real kernel.

board          a GPIO chip as a Raspberry Pi's header has it (board.Board)
start_agent    starts agents on the kernel's chips: start_agent(config={...}); those that
               still run are stopped, and each has to end well
agent          one on `board`
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from agent_process import agents_that_end_well, merged  # noqa: E402
from board import SIMULATOR, Board  # noqa: E402


def pytest_sessionstart():
    if not SIMULATOR.exists():
        pytest.exit("there is no gpio-sim here: ./dev test-vm runs these in a machine that "
                    "has it", returncode=4)


@pytest.fixture
def board():
    with Board() as board:
        yield board


@pytest.fixture
def start_agent():
    with agents_that_end_well() as start:
        def start_on_kernel(config=None, **options):
            return start(config=merged({"gpio": {"backend": "chardev"}}, config or {}), **options)

        yield start_on_kernel


@pytest.fixture
def agent(board, start_agent):
    return start_agent()
