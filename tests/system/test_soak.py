"""Minutes of clients of every kind: what is left behind adds up, and would show."""

import collections
import contextlib
import os
import random
import re
import socket
import threading
import time

import pytest

from line_client import Closed

# Thousands of visits: of what one leaves behind, a KiB or two is seen. What is lost altogether
# the sanitizers see after one.
SECONDS = float(os.environ.get("PIFLEET_SOAK_SECONDS", "60"))
GROWTH_KIB = 8 << 10
CLIENTS = 24
REQUESTS = [
    b'{"command":"ping"}', b'{"command":"echo","a":[1,2,{"b":null}]}', b'{"command":"list_commands"}',
    b'{"command":"get_status"}', b'{"command":"system_info"}', b'{"command":"get_metrics"}',
    b'{"command":"connection_stats"}', b'{"command":"gpio_status"}', b'{"command":"led_on","pin":17}',
    b'{"command":"gpio_test","pin":27,"times":1,"interval":0.01,"id":1}', b'{"command":"led_on"}',
    b'{"command":"nonsense"}', b"not JSON", b"", b"\xff\xfe", b"[" * 500, b'{"command":"\x00"}',
    # All of them together fit into the buffers on the way: these clients write before they read.
    b'{"command":"echo","a":"' + b"x" * 20000 + b'"}',
]


def one_visit(agent, chance):
    """Connects, says a few things, and leaves in one of the ways that clients leave."""
    with agent.connect() if chance.random() < 0.8 else agent.connect_unix() as client:
        lines = [chance.choice(REQUESTS) for _ in range(chance.randrange(20))]
        client.send(b"".join(line + b"\n" for line in lines))
        leaving = chance.choice(["read all", "read some", "reset", "half a line", "at once"])
        if leaving == "read all":
            client.half_close()
            replies = 0
            try:
                while True:
                    client.receive()
                    replies += 1
            except Closed:
                assert replies == sum(line != b"" for line in lines)
        elif leaving == "read some" and lines and lines[0] != b"":
            client.receive()
        elif leaving == "reset" and client.socket.family == socket.AF_INET:
            client.reset()
        elif leaving == "half a line":
            client.send(b'{"command"')


def visit_until(agent, end, seed, visits, failures):
    chance = random.Random(seed)
    try:
        while time.monotonic() < end and not failures:
            one_visit(agent, chance)
            visits[seed] += 1
    except Exception as failure:  # told by the test, with the seed that makes it come again
        failures.append((seed, repr(failure)))


def soak(agent, seconds, first_seed):
    visits, failures = {}, []
    end = time.monotonic() + seconds
    threads = []
    for seed in range(first_seed, first_seed + CLIENTS):
        visits[seed] = 0
        threads.append(threading.Thread(target=visit_until,
                                        args=(agent, end, seed, visits, failures)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return sum(visits.values())


def descriptors(process):
    """How many there are of each kind: {"socket": 12, "anon_inode:[eventfd]": 5, "/dev/null": 1}."""
    kinds = collections.Counter()
    for number in os.listdir(f"{process}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            kinds[re.sub(r":\[\d+\]$", "", os.readlink(f"{process}/fd/{number}"))] += 1
    return kinds


def held(agent):
    """Descriptors and resident KiB, with one connection open, no others left, and no pin under
    test any more for one of those: its turn comes behind theirs."""
    with agent.connect_unix() as client:
        end = time.monotonic() + 30
        while client.call("connection_stats")["connections"] > 1 or \
                not client.call("gpio_test", pin=27, times=1, interval=0.01)["success"]:
            assert time.monotonic() < end, "connections stay behind, or tests of theirs"
            time.sleep(0.05)
        process = f"/proc/{agent.process.pid}"
        with open(f"{process}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        return descriptors(process), resident


@pytest.mark.long
def test_clients_of_every_kind_leave_nothing_behind(start_agent):
    # A small quarantine: freed memory shall count as freed.
    options = os.environ["ASAN_OPTIONS"] + ":quarantine_size_mb=1"
    agent = start_agent(environment={"ASAN_OPTIONS": options})
    soak(agent, SECONDS / 3, first_seed=1000)
    before = held(agent)
    visits = soak(agent, SECONDS, first_seed=2000)
    end = time.monotonic() + 10
    # What is left open stays so; what is being closed, or looked up, does not.
    while (after := held(agent))[0] != before[0] and time.monotonic() < end:
        time.sleep(0.1)

    assert visits > CLIENTS
    assert after[0] == before[0], f"other descriptors are open: {after[0] - before[0]} more, " \
                                  f"{before[0] - after[0]} fewer"
    print(f"{visits} visits, {after[1] - before[1]} KiB more")
    assert after[1] - before[1] < GROWTH_KIB, f"after {visits} visits: {before}, {after}"
