"""What it costs a broker to keep sessions and retained messages: our durability `interval` and
`fsync` beside `memory`, and how long an acknowledgement takes beside what the disk itself takes.
Plain figures in base units.

The brokers of a round run at the same time on one core, and bench-mqtt asks them in turn from the
other. All that is kept lies in one folder, in which the disk is measured, too."""

import json
import os
import time
from pathlib import Path

from broker import THEIRS, BrokerBench, mosquitto_arguments, mosquitto_program
from device import quantile
from measure import Bench, side_by_side
from server import Peer, Unusable, tool

PARTS = ("durability",)
MEMORY, INTERVAL, FSYNC, DISK = "memory", "interval", "fsync", "disk"
MODES = (MEMORY, INTERVAL, FSYNC)
NAMES = (*MODES, THEIRS)
IN_FLIGHT = 1000
# What was appended in `interval` is on the disk by then, and in nobody's way.
CALM_SECONDS = 1.3
SYNCS, SYNC_BYTES = 250, 4096


class Keeping:
    """A row: messages of QoS 1 and 2 that are kept, since the sessions that they are for last, or
    since they are retained. `in_flight`: how many of all publishers are under way."""

    def __init__(self, words, shape, clients, qos, window, more):
        publishers, receivers = clients
        self.words, self.shape = f"{words}, QoS {qos}", shape
        self.in_flight = publishers * window
        self.arguments = ("--publishers", publishers, "--receivers", receivers, "--qos", qos,
                          "--window", window, "--per-write", min(window, 10), more)


CASES = {
    "kept fan-in": Keeping("50 publishers to 1", "fan-in", (50, 1), 1, 20, "--lasting"),
    "kept pairs 1": Keeping("100 pairs", "pairs", (100, 100), 1, 10, "--lasting"),
    "kept pairs 2": Keeping("100 pairs", "pairs", (100, 100), 2, 10, "--lasting"),
    "kept retained": Keeping("50 publishers to 1, retained", "fan-in", (50, 1), 1, 20, "--retain"),
    "kept singly": Keeping("1 publisher to 1", "fan-in", (1, 1), 1, 1, "--lasting"),
    "kept fan-out": Keeping("1 publisher to 1,000", "fan-out", (1, 1000), 1, 20, "--lasting"),
}


def broker_peer(program, mode):
    """Ours. In memory it has no folder, as it comes."""
    def arguments(port, directory):
        path = Path(directory) / "broker.yaml"
        config = {"listeners": [{"host": "127.0.0.1", "port": port}],
                  "mqtt": {"durability": mode, "retained_durability": mode}}
        if mode != MEMORY:
            state = Path(directory) / "state"
            state.mkdir(mode=0o700, exist_ok=True)
            config["state_dir"] = str(state)
        path.write_text(json.dumps(config))
        return ["-c", str(path)]
    return Peer(mode, "mqtt", None, program, arguments)


def brokers(build):
    program = tool(build, "pifleet-broker")
    return [*(broker_peer(program, mode) for mode in MODES),
            Peer(THEIRS, "mqtt", None, mosquitto_program(), mosquitto_arguments)]


def sync_seconds(directory, count):
    """How long each of many fdatasync(2) takes behind a page that was appended to a file."""
    path = Path(directory) / "syncs"
    page = os.urandom(SYNC_BYTES)
    took = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(count):
            os.write(file, page)
            began = time.monotonic()
            os.fdatasync(file)
            took.append(time.monotonic() - began)
    finally:
        os.close(file)
        path.unlink()
    return took


def disk_figures(took):
    ordered = sorted(took)
    return {"syncs": len(ordered), "p50": quantile(ordered, 0.5), "p99": quantile(ordered, 0.99),
            "max": ordered[-1]}


class KeptBench(BrokerBench):
    """`bench` is a measure.Bench."""

    def kept(self, server, row):
        """A window, and the calm after it; the disk is asked right before and right after who
        waits for it."""
        waits = server.peer.name == FSYNC
        took = self.syncs() if waits else []
        try:
            found = self.window(server, row.shape, "delivered", *row.arguments)
            return {**found, "disk": disk_figures(took + self.syncs())} if waits else found
        finally:
            time.sleep(CALM_SECONDS)

    def syncs(self):
        return sync_seconds(self.bench.directory, SYNCS)


def measure_round(bench, peers, number):
    figures = side_by_side(bench.start, peers, number,
                           {case: lambda server, row=row: bench.kept(server, row)
                            for case, row in CASES.items()})
    for by_name in figures.values():
        # A row of its own.
        disk = by_name.get(FSYNC, {}).pop("disk", None)
        if disk:
            by_name[DISK] = disk
    return figures


def measure_rounds(setting):
    """The rounds; [] when nothing of this is wanted. `setting` is a measure.Setting."""
    options = setting.options
    if not set(PARTS) & options.only:
        return []
    bench = KeptBench(Bench(options.build, *setting.cores, setting.directory,
                            repetitions=3 * options.broker_rounds), options.build,
                      options.broker_seconds)
    peers = brokers(options.build)
    rounds = []
    for number in range(options.broker_rounds):
        setting.say(f"durability, round {number + 1} of {options.broker_rounds}")
        rounds.append(measure_round(bench, peers, number))
    return rounds
