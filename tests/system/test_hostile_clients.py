"""Clients that are slow, silent, many, rude or unlucky: each has a defined end, and
nobody else is delayed."""

import json
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from agent_process import BUILD
from line_client import Closed, connect_tcp

FLOOD = BUILD / "tests" / "support" / "flood"
LOG_NOISE = 3000


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.process.pid}/fd"))


def await_true(condition, seconds=20):
    """Polls what no event tells of: descriptors of another process."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        select.select([], [], [], 0.01)


class Flood:
    """tests/support/flood: many connections in a process of their own."""

    def __init__(self, port, connections, *options):
        self.process = subprocess.Popen(
            [FLOOD, "--port", str(port), "--connections", str(connections), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.now = self._read()

    def _read(self):
        words = self.process.stdout.readline().split()
        return {key: int(value) for key, value in (word.split("=") for word in words)}

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.now = self._read()
        return self.now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=30)


def test_ten_thousand_clients_and_one_more_that_is_served(agent):
    before = descriptors(agent)
    with Flood(agent.port, 10000, "--sources", "4", "--request", '{"command":"ping"}') as flood:
        assert flood.now["open"] == 10000, flood.now
        with agent.connect() as client:
            assert client.call("ping")["type"] == "pong"
            assert client.call("connection_stats")["transports"]["tcp"]["connections"] == 10001
        asked = flood.tell("send")
        assert asked["replies"] == 10000, asked
    await_true(lambda: descriptors(agent) <= before)
    assert agent.call({"command": "connection_stats"})["transports"]["tcp"]["connections"] == 1


def test_thousands_of_resets_leave_nothing_behind(agent):
    before = descriptors(agent)
    for _ in range(3):
        with Flood(agent.port, 2000, "--request", '{"command":"ping"}') as flood:
            flood.tell("partial")
            flood.tell("reset 2000")
    await_true(lambda: descriptors(agent) <= before)
    assert agent.call({"command": "ping"})["success"]


def test_half_finished_lines_of_thousands_delay_nobody(agent):
    with Flood(agent.port, 2000, "--request", '{"command":"ping"}') as flood:
        flood.tell("partial")
        with agent.connect() as client:
            for _ in range(100):
                assert client.call("ping")["success"]
        closed = flood.tell("half-close")
        assert closed["open"] + closed["closed"] == 2000


def test_descriptors_that_run_out_end_the_newest_and_serve_the_old(agent):
    with agent.connect() as old:
        assert old.call("ping")["success"]
        limit = descriptors(agent) + 8
        resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        with Flood(agent.port, 50) as flood:
            assert old.call("ping")["success"]
            turned_away = 50 - 8
            await_true(lambda: flood.tell("count")["closed"] >= turned_away - 2)
            assert old.call("ping")["success"]
        await_true(lambda: descriptors(agent) <= limit - 8)
        assert agent.call({"command": "ping"})["success"]
    assert "turning connections away" in agent.stderr()


def test_connections_beyond_the_limit_are_told_so(start_agent):
    agent = start_agent(config={"limits": {"connections": 4}})
    clients = [agent.connect() for _ in range(4)]
    assert all(client.call("ping")["success"] for client in clients)
    with agent.connect() as fifth:
        reply = fifth.receive()
        assert reply["code"] == "BUSY" and "limits.connections" in reply["error"]
        assert isinstance(reply["timestamp"], float)
        assert fifth.is_at_end()
    assert all(client.call("ping")["success"] for client in clients)
    for client in clients:
        client.close()


def test_a_client_that_never_reads_is_paused_and_the_others_are_not(agent):
    request = json.dumps({"command": "echo", "text": "x" * 4000}).encode() + b"\n"
    with agent.connect() as lazy, agent.connect() as other:
        lazy.socket.setblocking(False)
        sent = 0
        while select.select([], [lazy.socket], [], 0.5)[1]:
            sent += lazy.socket.send(request * 16)
            assert sent < 256 << 20, "its requests are read without end"
        for _ in range(200):
            assert other.call("ping")["success"]


def test_a_client_that_reads_late_gets_every_reply(agent):
    request = json.dumps({"command": "echo", "text": "x" * 4000}).encode() + b"\n"
    with agent.connect() as late:
        writer = threading.Thread(target=late.send, args=(request * 2000,))
        writer.start()
        select.select([late.socket], [], [], 20)
        for _ in range(2000):
            assert len(late.receive()["echo"]["text"]) == 4000
        writer.join(20)
        assert not writer.is_alive()


def test_a_client_that_vanishes_in_the_middle_of_a_command(agent):
    for _ in range(20):
        client = agent.connect()
        client.send_request("gpio_test", pin=17, times=1, interval=0.05)
        client.send(b'{"command":"pi')
        client.reset()
    await_true(lambda: agent.call({"command": "gpio_test", "pin": 17, "times": 1,
                                   "interval": 0.01})["success"])


def test_a_last_line_without_its_newline_is_answered_after_a_half_close(agent):
    with agent.connect() as client:
        client.send(b'{"command":"ping"}\n{"command":"ping"}')
        client.half_close()
        assert client.receive()["type"] == "pong"
        assert client.receive()["type"] == "pong"
        assert client.is_at_end()


def test_sigterm_under_load_answers_what_was_taken_and_tears_no_reply(agent):
    problems, stopped = [], threading.Event()

    def hammer():
        with connect_tcp(agent.port) as client:
            try:
                while True:
                    client.send(b'{"command":"echo","n":1}\n' * 16)
                    for _ in range(16):
                        if client.receive()["echo"] != {"n": 1}:
                            problems.append("a reply of somebody else")
            except Closed as end:
                if "with 0 bytes" not in str(end):
                    problems.append(f"a torn reply: {end}")
            except (BrokenPipeError, ConnectionResetError):
                pass
        stopped.set()

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    await_true(lambda: agent.call({"command": "connection_stats"})["requests"] > 2000)
    assert agent.stop(signal.SIGTERM) == 0
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert problems == []


def test_sigterm_puts_driven_pins_into_their_safe_state_and_answers(agent):
    with agent.connect() as client:
        assert client.call("led_on", pin=17)["success"]
        client.send_request("gpio_test", pin=22, times=50, interval=1)
        await_true(lambda: agent.call({"command": "gpio_status", "pin": 22})
                   ["pins"]["22"]["holder"])
        assert agent.stop() == 0
        reply = client.receive()
        assert reply["success"] is False and reply["code"] == "NOT_READY"
        assert client.is_at_end()


def test_a_full_disk_under_the_log_stops_nothing(start_agent):
    agent = start_agent(config={"log": {"file": "/dev/full", "level": "debug"}})
    with agent.connect() as client:
        for _ in range(LOG_NOISE):
            assert client.call("led_on", pin=17)["success"]
    assert agent.stop() == 0


def test_a_log_that_was_moved_away_is_opened_anew_on_sighup(start_agent, tmp_path):
    log = tmp_path / "agent.log"
    agent = start_agent(config={"log": {"file": str(log)}})
    log.rename(tmp_path / "agent.log.1")
    agent.process.send_signal(signal.SIGHUP)
    await_true(log.exists)
    assert agent.call({"command": "led_on", "pin": 17})["success"]
    await_true(lambda: "led_on" in log.read_text())


def test_idle_connections_are_closed_and_working_ones_are_not(start_agent):
    agent = start_agent(config={"command": {"idle_timeout": 1}})
    with agent.connect() as silent, agent.connect() as busy:
        busy.send_request("gpio_test", pin=17, times=1, interval=0.8)
        assert silent.is_at_end()
        assert busy.receive()["success"]


def test_the_agent_sleeps_when_nobody_asks(agent):
    def cpu_seconds():
        fields = pathlib.Path(f"/proc/{agent.process.pid}/stat").read_text().rsplit(") ", 1)[1]
        return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def switches():
        status = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text()
        return int(status.split("voluntary_ctxt_switches:")[1].split()[0])

    with agent.connect() as client:
        client.call("ping")
        before, woken = cpu_seconds(), switches()
        select.select([client.socket], [], [], 3)
        assert switches() - woken <= 2
        assert cpu_seconds() - before <= 0.02


def test_clients_together_hold_no_more_memory_than_allowed(start_agent):
    agent = start_agent(config={"limits": {"memory": 8 << 20}, "command": {"max_line": 4 << 20}})
    unfinished = b'{"command":"echo","text":"' + b"x" * (3 << 20)
    with agent.connect() as old:
        hoarders = [agent.connect() for _ in range(6)]
        for hoarder in hoarders:
            try:
                hoarder.send(unfinished)
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert old.call("ping")["success"]

        def ended():
            return len([one for one in hoarders if select.select([one.socket], [], [], 0)[0]])

        await_true(lambda: ended() >= 3)
        assert ended() < 6
        assert old.call("ping")["success"]
        for hoarder in hoarders:
            hoarder.close()
    assert "closed for want of memory" in agent.stderr()
    await_true(lambda: agent.call({"command": "ping"})["success"])


def test_a_storm_of_sigterms_is_one_stop(start_agent):
    for _ in range(5):
        agent = start_agent()
        with agent.connect() as client:
            assert client.call("led_on", pin=17)["success"]
            while agent.is_running():
                agent.process.send_signal(signal.SIGTERM)
            assert agent.stop() == 0
