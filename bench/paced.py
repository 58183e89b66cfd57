"""Commands over MQTT to a simulated pin and back, at a steady pace, beside a bare echo that one
client asks in between. Plain figures in base units.

Agent and echo share one core, bench-mqtt has the other and both connections."""

import contextlib
import json
import subprocess
from pathlib import Path

from broker import PATIENCE_SECONDS, Broker
from measure import Bench, figures_or_reason
from server import Peer, Unusable, peers, tool

PARTS = ("mqtt-pin",)
AGENT, ECHO = "agent", "echo"
PIN = 17
# Commands a second: seconds of a window, of one with --quick. At one a second there is one window
# in all, since a 99th percentile wants hundreds of them.
PACES = {1: (300, 10), 100: (20, 2), 1000: (5, 1)}
CASES = {f"mqtt-pin {pace}": pace for pace in PACES}


def agent_peer(program):
    def arguments(port, directory):
        path = Path(directory) / "agent.yaml"
        path.write_text(json.dumps({
            "access": {"mode": "open"}, "gpio": {"backend": "simulated"},
            "mqtt": {"host": "127.0.0.1", "port": port},
            "command": {"host": "127.0.0.1", "port": 0, "socket": str(Path(directory) / "s")}}))
        return ["--config", str(path), "--state-dir", str(Path(directory) / "state")]
    return Peer(AGENT, "mqtt", None, program, arguments)


def figures_of_window(raw):
    """{server: figures} of what bench-mqtt says of both."""
    window = raw["window_ns"]

    def latencies(prefix):
        return {key: raw[f"{prefix}{key}_ns"] / 1e9 for key in ("p50", "p99", "max")}
    return {AGENT: {**latencies(""), "commands": raw["commands"],
                    "cpu": raw["server_cpu_ns"] / 1e9 / raw["commands"],
                    "disturbed_share": max(raw["server_wait_ns"],
                                           raw["generator_wait_ns"]) / window},
            ECHO: latencies("echo_")}


class PacedBench:
    """`bench` is a measure.Bench."""

    def __init__(self, bench, build):
        self.bench = bench
        self.tool = tool(build, "bench-mqtt")

    def start_agent(self, peer):
        return Broker(peer, {self.bench.server_cpu}, {self.bench.generator_cpu},
                      self.bench.directory)

    def window(self, agent, echo, pace, seconds):
        """Of both servers, at `pace` commands a second."""
        run = subprocess.run(
            [str(word) for word in (
                self.tool, "paced", "--port", agent.port, "--echo-port", echo.port,
                "--per-second", pace, "--pin", PIN, "--server", agent.pid,
                "--cpu", self.bench.generator_cpu, "--window-ms", int(seconds * 1000),
                "--warm-up-ms", max(300, 2000 // pace))],
            capture_output=True, text=True, check=False, timeout=seconds + PATIENCE_SECONDS)
        if run.returncode != 0:
            raise Unusable(run.stderr.strip())
        return figures_of_window(json.loads(run.stdout))


def measure_round(bench, pair, number, quick):
    """{case: {server: figures}} of all paces that have a turn in this round."""
    figures = {}
    with contextlib.ExitStack() as stack:
        agent = stack.enter_context(bench.start_agent(pair[0]))
        echo = stack.enter_context(bench.bench.start(pair[1]))
        for case, pace in CASES.items():
            if number == 0 or pace > 1:
                found = figures_or_reason(bench.window, agent, echo, pace, PACES[pace][quick])
                figures[case] = {AGENT: found} if "unusable" in found else found
    return figures


def measure_rounds(setting):
    """The rounds; [] when nothing of this is wanted. `setting` is a measure.Setting."""
    options = setting.options
    if not set(PARTS) & options.only:
        return []
    bench = PacedBench(Bench(options.build, *setting.cores, setting.directory, repetitions=0),
                       options.build)
    pair = agent_peer(options.agent), peers(options.build, options.agent)[ECHO]
    rounds = []
    for number in range(options.broker_rounds):
        setting.say(f"commands over MQTT, round {number + 1} of {options.broker_rounds}")
        rounds.append(measure_round(bench, pair, number, options.quick))
    return rounds
