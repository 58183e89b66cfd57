"""The measurements: each takes running servers or starts its own, and returns
plain figures in base units (seconds, bytes, requests)."""

import contextlib
import json
import os
import resource
import subprocess
import time
import typing

from server import Server, Unusable, tool

IDLE_CONNECTIONS = 10000
# Redis gives the buffers of a client back after two seconds of silence.
SETTLE_SECONDS = 3
# A full core: what is left goes to reading clocks and to the scheduler.
BUSY_SHARE = 0.95
# A window in which somebody else held a core for longer is measured again.
DISTURBED_SHARE = 0.05


def turned(items, by):
    """The same items, beginning with another: nobody is always the first."""
    items = list(items)
    by %= max(1, len(items))
    return items[by:] + items[:by]


def figures_or_reason(measurement, *arguments):
    """What one peer cannot do empties its own row, and no other's."""
    try:
        return measurement(*arguments)
    except (Unusable, OSError, subprocess.SubprocessError) as error:
        return {"unusable": str(error)}


def side_by_side(start, peers, number, cases):
    """{case: {server: figures}} of one round: all servers run at the same time, and each of `cases`,
    {name: measurement of a server}, asks one after the other. `start` makes a server of a peer. A
    measurement that returns None has no such row for that server."""
    absent, servers = {}, []
    with contextlib.ExitStack() as stack:
        for peer in peers:
            try:
                servers.append(stack.enter_context(start(peer)))
            except Unusable as error:
                absent[peer.name] = {"unusable": str(error)}
        figures = {case: dict(absent) for case in cases}
        for case, measurement in cases.items():
            for server in turned(servers, number):
                found = figures_or_reason(measurement, server)
                if found is not None:
                    figures[case][server.peer.name] = found
    return figures


class Setting(typing.NamedTuple):
    """What a part gets that measures in rounds of its own."""
    options: typing.Any  # of the command line
    cores: tuple  # of the servers, of the generator
    directory: str
    say: typing.Callable  # tells how far it is


class Bench:
    """What all measurements share: the tools, the two cores, a directory."""

    def __init__(self, build, server_cpu, generator_cpu, directory, repetitions):
        self.load_tool = tool(build, "bench-load")
        self.flood_tool = tool(build, "bench-flood")
        self.server_cpu = server_cpu
        self.generator_cpu = generator_cpu
        self.directory = directory
        self.repetitions = repetitions  # how many are left, so that the time is bounded

    def start(self, peer):
        return Server(peer, {self.server_cpu}, {self.generator_cpu}, self.directory)

    def less_disturbed(self, measurement):
        """The figures of one window; of the less disturbed one of two when the
        first was disturbed. The choice does not look at the result."""
        figures = measurement()
        if figures.get("disturbed_share", 0) <= DISTURBED_SHARE or self.repetitions == 0:
            return figures
        self.repetitions -= 1
        again = measurement()
        if "unusable" in again:
            return again
        return min(figures, again, key=lambda window: window["disturbed_share"])

    def load(self, *arguments):
        """As raw_load(), in base units."""
        return self.less_disturbed(lambda: self._figures(self.raw_load(*arguments)))

    def raw_load(self, server, protocol, connections, in_flight, window_seconds, request=None):
        """What bench-load says, in its own units. `request`: a file that holds it, for protocols
        without one of their own."""
        # Long enough for a server's buffers to have grown.
        warm_up_seconds = min(0.4, window_seconds / 4)
        run = subprocess.run(
            [self.load_tool, "--port", str(server.port), "--protocol", protocol,
             "--connections", str(connections), "--in-flight", str(in_flight),
             "--warm-up-ms", str(int(warm_up_seconds * 1000)),
             "--window-ms", str(int(window_seconds * 1000)),
             "--cpu", str(self.generator_cpu), "--server", str(server.pid),
             *(["--request", str(request)] if request else [])],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=window_seconds + 30, check=False)
        if run.returncode != 0:
            raise Unusable(f"{connections}x{in_flight} against {server.peer.name} failed: "
                           f"{run.stderr.strip()}")
        return json.loads(run.stdout)

    @staticmethod
    def _figures(raw):
        window = raw["window_ns"]
        server_share = raw["server_cpu_ns"] / window
        generator_share = raw["generator_cpu_ns"] / window
        return {
            "rate": raw["requests"] / window * 1e9,
            "p50": raw["p50_ns"] / 1e9,
            "p99": raw["p99_ns"] / 1e9,
            "p999": raw["p999_ns"] / 1e9,
            "max": raw["max_ns"] / 1e9,
            "cpu_per_request": raw["server_cpu_ns"] / 1e9 / max(1, raw["requests"]),
            "server_share": server_share,
            "generator_share": generator_share,
            "generator_bound": generator_share >= BUSY_SHARE > server_share,
            # Ready to run, but somebody else had the core.
            "disturbed_share": max(raw["server_wait_ns"], raw["generator_wait_ns"]) / window,
        }

    def start_up(self, peer):
        """exec to first reply, then the memory of the server at rest."""
        with self.start(peer) as server:
            time.sleep(1)
            memory = server.memory()
            return {"seconds": server.start_seconds, **memory}

    def idle(self, peer):
        """Memory for each of many connections that have asked once and then
        fallen silent. The clients live in a process of their own."""
        with self.start(peer) as server:
            time.sleep(0.5)
            before = server.memory()
            began = time.monotonic()
            flood = subprocess.Popen(
                [self.flood_tool, "--port", str(server.port), "--sources", "4",
                 "--connections", str(IDLE_CONNECTIONS), "--request", peer.line],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                self._flood_status(flood, None)
                connect_seconds = time.monotonic() - began
                self._flood_status(flood, "send")
                time.sleep(SETTLE_SECONDS)
                after = server.memory()
                status = self._flood_status(flood, "count")
            finally:
                flood.stdin.close()
                flood.wait(timeout=30)
        if status["open"] != IDLE_CONNECTIONS or status["replies"] != IDLE_CONNECTIONS:
            raise Unusable(f"{peer.name} did not hold {IDLE_CONNECTIONS} connections: {status}")
        return {
            "pss_per_connection": (after["pss"] - before["pss"]) / IDLE_CONNECTIONS,
            "pss": after["pss"],
            "connect_seconds": connect_seconds,
        }

    @staticmethod
    def _flood_status(flood, command):
        if command:
            flood.stdin.write(command + "\n")
            flood.stdin.flush()
        line = flood.stdout.readline()
        if not line:
            raise Unusable("bench-flood ended early")
        return {key: int(value) for key, value in (part.split("=") for part in line.split())}


def allow_many_descriptors():
    """For us and all we start: the servers must be able to hold the idle ones."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = IDLE_CONNECTIONS + 100
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Unusable(f"a process may have {hard} descriptors here; {needed} are needed "
                       "(ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def two_cores():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Unusable("two cores are needed, one for the server and one for the generator")
    return cores[0], cores[1]
