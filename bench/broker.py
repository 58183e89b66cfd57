"""MQTT brokers side by side: what a message, a connection, a filter and a retained topic cost
them. Plain figures in base units.

All brokers of a round run at the same time on one core, and bench-mqtt asks them in turn from
the other; for memory each has a process of its own that nobody has spoken to."""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from measure import figures_or_reason, side_by_side, turned
from server import Peer, Server, Unusable, tool

OURS, THEIRS, BARE = "pifleet", "mosquitto", "bare"
WINDOW, PER_WRITE = 20, 10
IDLE_CONNECTIONS = 10000
TOPICS = 100000
# Few connections with many filters each, so that a write holds many messages and the figure is
# that of the filters.
FILTERS_EACH, FILTER_HOLDERS, FILTER_PUBLISHERS = 10000, 10, 12
SETTLE_SECONDS = 1
PATIENCE_SECONDS = 60


class Flow:
    """A row: messages from publishers to subscribers, `window` of each publisher under way,
    `per_write` in a write. `goal`: our CPU for a message, of mosquitto's; None: the row stands
    beside, for how it is where nothing can be written together."""

    def __init__(self, words, shape, clients, qos, goal):
        self.words, self.shape, self.goal = f"{words}, QoS {qos}", shape, goal
        self.window, self.per_write = (1, 1) if goal is None else (WINDOW, PER_WRITE)
        publishers, receivers = clients
        self.arguments = ("--publishers", publishers, "--receivers", receivers, "--qos", qos,
                          "--window", self.window, "--per-write", self.per_write)


def flows(part, words, clients, goals):
    rows = [(f"{part} QoS {qos}", Flow(words, part, clients, qos, goal))
            for qos, goal in enumerate(goals)]
    return [*rows, (f"{part} singly", Flow(words, part, clients, 0, None))]


FLOWS = dict([*flows("fan-in", "50 publishers to 1", (50, 1), (0.06, 0.07)),
              *flows("fan-out", "1 publisher to 1,000", (1, 1000), (0.19, 0.20)),
              *flows("pairs", "100 pairs", (100, 100), (0.14, 0.12, 0.10))])
CALLERS = {"rpc 1": 1, "rpc 64": 64}
AT_ONCE = 32
PARTS = ("fan-in", "fan-out", "pairs", "connects", "rpc", "mqtt-idle", "retained", "filters")
MEMORY_PARTS = ("mqtt-idle", "retained", "filters")


class Broker(Server):
    """Speaks MQTT: the first reply is a CONNACK."""

    def _asked(self, connection):
        connection.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05first")
        return connection.recv(4) == b"\x20\x02\x00\x00"


def mosquitto_arguments(port, directory):
    """Alike to ours: nothing is saved or logged, nothing lost, and nothing waits for more."""
    path = Path(directory) / "mosquitto.conf"
    path.write_text("".join(f"{line}\n" for line in (
        f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false",
        "log_dest none", "set_tcp_nodelay true", "max_inflight_messages 0",
        "max_queued_messages 0")))
    return ["-c", str(path)]


def given(text):
    """Of NAME=COMMAND, as --broker has it."""
    name, equals, command = text.partition("=")
    if not equals or not re.fullmatch(r"[\w.-]+", name) or name in (OURS, THEIRS, BARE):
        raise Unusable(f"--broker {text}: NAME=COMMAND, and a name of its own")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Unusable(f"--broker {text}: {error}") from error
    if not any("{port}" in word for word in words):
        raise Unusable(f"--broker {text}: its command has no {{port}}")

    def arguments(port, directory):
        return [word.replace("{port}", str(port)).replace("{directory}", directory)
                for word in words[1:]]
    return Peer(name, "mqtt", None, shutil.which(words[0]) or words[0], arguments)


def mosquitto_program():
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if not program:
        raise Unusable("mosquitto is missing: apt-get install mosquitto")
    return program


def brokers(build, others):
    """By name, in the order of the table; `others`: the texts of --broker."""
    found = [Peer(OURS, "mqtt", None, build / "pifleet-broker",
                  lambda port, _: ["--port", str(port)]),
             Peer(THEIRS, "mqtt", None, mosquitto_program(), mosquitto_arguments),
             *(given(text) for text in others)]
    for peer in found:
        if not shutil.which(str(peer.program)):
            raise Unusable(f"{peer.program} is not there, or not a program")
    if len({peer.name for peer in found}) < len(found):
        raise Unusable("--broker: two have the same name")
    return {peer.name: peer for peer in found}


def bare(build):
    """Accepts and answers, and nothing else: the floor for connects."""
    return Peer(BARE, "mqtt", None, tool(build, "bench-echo"),
                lambda port, _: [str(port), "connack"])


def figures_of_window(raw, count):
    """What every window tells, of `count` messages, calls or connects."""
    window = raw["window_ns"]
    if raw["lost"]:
        return {"lost": raw["lost"],
                "unusable": f"{raw['lost']:,} lost beside {count:,} that arrived"}
    share = {"resumed_share": raw["resumed"] / max(1, count)} if "resumed" in raw else {}
    return {"rate": count / window * 1e9, "lost": 0, **share,
            "cpu": raw["server_cpu_ns"] / 1e9 / max(1, count),
            "server_share": raw["server_cpu_ns"] / window,
            "generator_share": raw["generator_cpu_ns"] / window,
            "disturbed_share": max(raw["server_wait_ns"], raw["generator_wait_ns"]) / window,
            **{key: raw[f"{key}_ns"] / 1e9 for key in ("p50", "p99", "max") if f"{key}_ns" in raw}}


class Steps:
    """bench-mqtt --steps: it waits for us at each."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Without anybody to tell it to go on, it ends.
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def line(self):
        text = self.process.stdout.readline().strip()
        if not text:
            raise Unusable(self.process.stderr.read().strip() or "bench-mqtt ended early")
        return text

    def figures(self):
        return json.loads(self.line())

    def await_step(self, word):
        text = self.line()
        if text != word:
            raise Unusable(f"bench-mqtt says {text} and not {word}")

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


class BrokerBench:
    """`bench` is a measure.Bench; windows in seconds."""

    def __init__(self, bench, build, window_seconds):
        self.bench = bench
        self.tool = tool(build, "bench-mqtt")
        self.window_seconds = window_seconds

    def start(self, peer):
        return Broker(peer, {self.bench.server_cpu}, {self.bench.generator_cpu},
                      self.bench.directory)

    def _command(self, server, what, arguments):
        return [str(word) for word in (
            self.tool, what, "--port", server.port, "--server", server.pid,
            "--cpu", self.bench.generator_cpu, *arguments)]

    def window(self, server, what, key, *arguments):
        """The figures of one window, or of the less disturbed one of two."""
        seconds = self.window_seconds
        command = self._command(server, what, (
            *arguments, "--window-ms", int(seconds * 1000),
            "--warm-up-ms", int(min(0.3, seconds / 4) * 1000)))

        def measured():
            run = subprocess.run(command, capture_output=True, text=True, check=False,
                                 timeout=seconds + PATIENCE_SECONDS)
            if run.returncode != 0:
                raise Unusable(run.stderr.strip())
            raw = json.loads(run.stdout)
            return figures_of_window(raw, raw[key])
        return self.bench.less_disturbed(measured)

    def flow(self, server, row):
        return self.window(server, row.shape, "delivered", *row.arguments)

    def calls(self, server, callers):
        return self.window(server, "rpc", "calls", "--callers", callers)

    def connects(self, server):
        return self.window(server, "connects", "connects", "--at-once", AT_ONCE)

    def _steps(self, server, what, *arguments):
        return Steps(self._command(server, what, ("--steps", *arguments)))

    @staticmethod
    def _settled(server):
        time.sleep(SETTLE_SECONDS)
        return server.memory()["anonymous"]

    def idle(self, peer, transport="tcp", connections=IDLE_CONNECTIONS):
        """Bytes for each of many connections, before SUBSCRIBE and with one filter."""
        with self.start(peer) as server:
            before = self._settled(server)
            with self._steps(server, "fleet", "--receivers", connections, "--publishers", 0,
                             "--transport", transport) as steps:
                steps.await_step("connected")
                connected = self._settled(server)
                steps.go_on()
                steps.await_step("subscribed")
                subscribed = self._settled(server)
        return {"connection": (connected - before) / connections,
                "subscribed": (subscribed - before) / connections}

    def retained(self, peer):
        """Bytes for each of many retained topics, and how soon one subscriber has them all.
        Before, the same messages were sent without being retained: what a broker keeps of
        topics in any case, within a bound, is not what one more of them needs."""
        with self.start(peer) as server:
            with self._steps(server, "hoard", "--topics", TOPICS) as steps:
                steps.await_step("published")
                before = self._settled(server)
                steps.go_on()
                raw = steps.figures()
                stored = figures_of_window(raw, raw["stored"])
                steps.await_step("stored")
                after = self._settled(server)
                steps.go_on()
                raw = steps.figures()
        fetched = figures_of_window(raw, raw["fetched"])
        for figures in (stored, fetched):
            if figures["lost"]:
                return figures
        return {"topic": (after - before) / TOPICS, "store_cpu": stored["cpu"],
                "fetch_seconds": raw["window_ns"] / 1e9, "fetch_cpu": fetched["cpu"],
                "disturbed_share": fetched["disturbed_share"]}

    def filters(self, peer):
        """Bytes for each of many filters, and CPU for a publish that matches one of them."""
        with self.start(peer) as server, self._steps(
                server, "fleet", "--receivers", FILTER_HOLDERS, "--filters", FILTERS_EACH,
                "--publishers", FILTER_PUBLISHERS, "--window", WINDOW, "--per-write", PER_WRITE,
                "--window-ms", int(self.window_seconds * 1000)) as steps:
            steps.await_step("connected")
            before = self._settled(server)
            steps.go_on()
            steps.await_step("subscribed")
            after = self._settled(server)
            steps.go_on()
            raw = steps.figures()
        return {"filter": (after - before) / (FILTER_HOLDERS * FILTERS_EACH),
                **figures_of_window(raw, raw["delivered"])}


def speed_cases(bench, only):
    """{case: measurement of a server} of what needs no fresh process."""
    def unless_bare(measurement):
        return lambda server: None if server.peer.name == BARE else measurement(server)
    cases = {case: unless_bare(lambda server, row=row: bench.flow(server, row))
             for case, row in FLOWS.items() if row.shape in only}
    if "rpc" in only:
        cases.update({case: unless_bare(lambda server, callers=callers:
                                        bench.calls(server, callers))
                      for case, callers in CALLERS.items()})
    if "connects" in only:
        cases["connects"] = bench.connects
    return cases


def measure_speed(bench, only, chosen, bare_peer, number):
    """One round: all brokers run, each case asks one after the other."""
    peers = [*chosen.values(), *([bare_peer] if "connects" in only else [])]
    return side_by_side(bench.start, peers, number, speed_cases(bench, only))


def measure_memory(bench, only, chosen, number):
    measurements = {"mqtt-idle": bench.idle, "retained": bench.retained, "filters": bench.filters}
    return {part: {peer.name: figures_or_reason(measurements[part], peer)
                   for peer in turned(chosen.values(), number)}
            for part in MEMORY_PARTS if part in only}


def measure_rounds(bench, options, chosen, bare_peer, say):
    rounds = []
    for number in range(options.broker_rounds):
        say(f"brokers, round {number + 1} of {options.broker_rounds}")
        rounds.append(measure_speed(bench, options.only, chosen, bare_peer, number))
        if number < options.memory_rounds:
            rounds[-1].update(measure_memory(bench, options.only, chosen, number))
    return rounds
