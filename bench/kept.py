"""What it costs a broker to keep sessions and retained messages: our durability `interval` and
`fsync` beside `memory`, and how long an acknowledgement takes beside what the disk itself takes,
the one that is there and one as slow as an SD card. Plain figures in base units.

The brokers of a round run at the same time on one core, and bench-mqtt asks them in turn from the
other. All that is kept lies in one folder, in which the disk is measured, too."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from broker import THEIRS, BrokerBench, mosquitto_arguments, mosquitto_program
from device import quantile
from measure import Bench, side_by_side
from server import Peer, Unusable, tool

PARTS = ("durability",)
MEMORY, INTERVAL, FSYNC, DISK = "memory", "interval", "fsync", "disk"
CARD, CARD_DISK = "fsync, SD card", "SD card"
MODES = (MEMORY, INTERVAL, FSYNC)
NAMES = (*MODES, CARD, THEIRS)
# Who waits for a disk, and for which.
DISKS = {FSYNC: DISK, CARD: CARD_DISK}
IN_FLIGHT = 1000
# What was appended in `interval` is on the disk by then, and in nobody's way.
CALM_SECONDS = 1.3
SYNCS, SYNC_BYTES = 250, 4096
CARD_SYNC_MS = 5  # more than this machine's disk, by slow-disk.c
CARD_SYNCS = 50


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


def slow_disk(build):
    """What comes before a command line whose disk shall be slow."""
    return ["/usr/bin/env", f"LD_PRELOAD={tool(build, 'bench-slow-disk.so')}",
            f"PIFLEET_BENCH_SYNC_MS={CARD_SYNC_MS}"]


def broker_peer(program, mode, name=None, before=()):
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
        return [*before[1:], *([str(program)] if before else []), "-c", str(path)]
    return Peer(name or mode, "mqtt", None, before[0] if before else program, arguments)


def brokers(build):
    program = tool(build, "pifleet-broker")
    return [*(broker_peer(program, mode) for mode in MODES),
            broker_peer(program, FSYNC, CARD, slow_disk(build)),
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

    def __init__(self, bench, build, window_seconds):
        super().__init__(bench, build, window_seconds)
        self.build = build

    def kept(self, server, row):
        """A window, and the calm after it; the disk is asked right before and right after who
        waits for it."""
        name = server.peer.name
        waits = name in DISKS
        took = self.syncs(name) if waits else []
        try:
            found = self.window(server, row.shape, "delivered", *row.arguments)
            return {**found, "disk": disk_figures(took + self.syncs(name))} if waits else found
        finally:
            time.sleep(CALM_SECONDS)

    def syncs(self, name):
        if name == FSYNC:
            return sync_seconds(self.bench.directory, SYNCS)
        run = subprocess.run([*slow_disk(self.build), sys.executable, __file__,
                              str(self.bench.directory), str(CARD_SYNCS)],
                             stdout=subprocess.PIPE, check=True, timeout=60)
        return json.loads(run.stdout)


def measure_round(bench, peers, number):
    figures = side_by_side(bench.start, peers, number,
                           {case: lambda server, row=row: bench.kept(server, row)
                            for case, row in CASES.items()})
    for by_name in figures.values():
        # Rows of their own.
        for name, disk in DISKS.items():
            found = by_name.get(name, {}).pop("disk", None)
            if found:
                by_name[disk] = found
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


if __name__ == "__main__":
    # The disk alone, for whoever asks under another one: FOLDER COUNT.
    print(json.dumps(sync_seconds(sys.argv[1], int(sys.argv[2]))))
