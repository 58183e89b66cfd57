"""The arithmetic of kept.py, and what kept_report.py says of it."""

import json
import subprocess
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import kept
import kept_report
from fake_bench import FakeBench, peers


def window(rate, p99=0.001, cpu=1e-6):
    return {"rate": rate, "cpu": cpu, "server_share": 0.9, "generator_share": 0.5, "lost": 0,
            "disturbed_share": 0.0, "p50": p99 / 2, "p99": p99}


def round_of(case, memory=100, interval=85, fsync=60, p99=0.003, disk=0.001):
    return {case: {"memory": window(memory), "interval": window(interval),
                   "fsync": window(fsync, p99), "mosquitto": window(10, cpu=1e-5),
                   "disk": {"p50": disk / 2, "p99": disk, "max": disk, "syncs": 500}}}


def card_round_of(case, p99, disk):
    return {case: {"fsync, SD card": window(1, p99), "SD card": {"p50": disk, "p99": disk}}}


def reached(rounds, words=""):
    return [verdict["reached"] for verdict in kept_report.verdicts(rounds)
            if words in verdict["what"]]


class Rows(unittest.TestCase):
    def test_a_thousand_are_in_flight_where_fsync_is_judged(self):
        self.assertEqual({case for case, row in kept.CASES.items()
                          if row.in_flight >= kept.IN_FLIGHT},
                         {"kept fan-in", "kept pairs 1", "kept pairs 2", "kept retained"})

    def test_each_row_has_something_to_keep(self):
        for case, row in kept.CASES.items():
            with self.subTest(case):
                self.assertIn(row.arguments[-1], ("--lasting", "--retain"))
                arguments = dict(zip(row.arguments[:-1:2], row.arguments[1::2]))
                self.assertGreater(arguments["--qos"], 0)
                self.assertEqual(arguments["--window"] % arguments["--per-write"], 0)
                self.assertEqual(arguments["--window"] * arguments["--publishers"], row.in_flight)


class Disk(unittest.TestCase):
    def test_every_sync_counts_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as directory:
            took = kept.sync_seconds(directory, 3)
            self.assertEqual(list(Path(directory).iterdir()), [])
        self.assertEqual(len(took), 3)
        self.assertTrue(all(seconds > 0 for seconds in took))

    def test_one_as_slow_as_a_card_takes_longer_by_what_was_said(self):
        with tempfile.TemporaryDirectory() as directory:
            library = Path(directory) / "bench-slow-disk.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Werror", "-o", library,
                            Path(kept.__file__).with_name("slow-disk.c")], check=True)
            bench = kept.KeptBench.__new__(kept.KeptBench)
            bench.build, bench.bench = Path(directory), types.SimpleNamespace(directory=directory)
            took = bench.syncs(kept.CARD)
        self.assertEqual(len(took), kept.CARD_SYNCS)
        self.assertGreater(min(took), kept.CARD_SYNC_MS / 1000)

    def test_figures_are_quantiles(self):
        found = kept.disk_figures([seconds / 1000 for seconds in range(200, 0, -1)])
        self.assertEqual((found["syncs"], found["p50"], found["p99"], found["max"]),
                         (200, 0.1, 0.198, 0.2))


class Peers(unittest.TestCase):
    def test_each_mode_is_that_of_sessions_and_of_retained_messages(self):
        for mode in kept.MODES:
            with self.subTest(mode), tempfile.TemporaryDirectory() as directory:
                path = kept.broker_peer("broker", mode).command(1234, directory)[2]
                config = json.loads(Path(path).read_text())
                self.assertEqual(config["mqtt"], {"durability": mode, "retained_durability": mode})
                self.assertEqual(config["listeners"], [{"host": "127.0.0.1", "port": 1234}])
                self.assertEqual("state_dir" in config, mode != "memory")


    def test_the_one_with_a_card_is_the_same_program_behind_it(self):
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "bench-slow-disk.so").touch()
            before = kept.slow_disk(Path(directory))
            peer = kept.broker_peer("broker", "fsync", kept.CARD, before)
            command = peer.command(1234, directory)
        self.assertEqual(peer.name, "fsync, SD card")
        self.assertEqual(command[:len(before) + 2], [*before, "broker", "-c"])


class Verdicts(unittest.TestCase):
    def test_rates_are_compared_with_memory(self):
        case = "kept pairs 1"
        self.assertEqual(reached([round_of(case)]), [True, True, True])
        self.assertEqual(reached([round_of(case, interval=84)], "interval / memory"), [False])
        self.assertEqual(reached([round_of(case, fsync=59)], "fsync / memory"), [False])

    def test_acknowledgements_are_compared_with_the_disk_of_that_round(self):
        self.assertEqual(reached([round_of("kept fan-in", p99=0.0031)], "fsync / disk"), [False])
        slow = round_of("kept fan-in", p99=0.3, disk=0.1)
        self.assertEqual(reached([slow], "fsync / disk"), [True])

    def test_those_behind_a_card_are_compared_with_the_card(self):
        self.assertEqual(reached([card_round_of("kept fan-in", 0.015, 0.005)], "SD card / SD card"),
                         [True])
        self.assertEqual(reached([card_round_of("kept singly", 0.016, 0.005)]), [False])

    def test_with_less_in_flight_the_rate_of_fsync_is_not_judged(self):
        self.assertEqual(reached([round_of("kept fan-out", fsync=1, p99=1)]), [True])
        self.assertEqual(reached([round_of("kept singly", fsync=1, p99=0.0031)]), [True, False])

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        rounds = [{"kept fan-in": {"fsync": {"unusable": "it ended"}, "memory": window(1)}}]
        self.assertEqual(reached(rounds), [False])
        self.assertIn("it ended", "\n".join(kept_report.tables(rounds)))

    def test_nothing_measured_says_nothing(self):
        self.assertEqual((kept_report.verdicts([]), kept_report.tables([])), ([], []))


class Text(unittest.TestCase):
    def test_every_mode_has_its_ratios(self):
        lines = kept_report.tables([round_of("kept fan-in")])
        row = next(line for line in lines if "fsync: 50 publishers to 1" in line)
        for words in ("1,000", "0.60 (0.60 to 0.60)", "0.10 (0.10 to 0.10)", "3.00 (3.00 to 3.00)"):
            self.assertIn(words, row)
        for disk in ("disk", "SD card"):
            self.assertTrue(any(f"{disk}: write and fdatasync" in line for line in lines))


class Fsync(kept.KeptBench):
    """Notes the order in which brokers and the disk are asked."""

    def __init__(self):
        self.asked = []

    def window(self, server, *_):
        self.asked.append(server.peer.name)
        return window(1)

    def syncs(self, name):
        self.asked.append(f"disk of {name}")
        return [0.001]


class Rounds(unittest.TestCase):
    @mock.patch("kept.CALM_SECONDS", 0)
    def test_the_disk_is_asked_before_and_after_who_waits_for_it(self):
        bench = Fsync()
        for name in ("memory", "fsync", "fsync, SD card"):
            found = bench.kept(types.SimpleNamespace(peer=types.SimpleNamespace(name=name)),
                               kept.CASES["kept fan-in"])
        self.assertEqual(bench.asked, [
            "memory", "disk of fsync", "fsync", "disk of fsync", "disk of fsync, SD card",
            "fsync, SD card", "disk of fsync, SD card"])
        self.assertEqual(found["disk"]["syncs"], 2)

    def test_the_disk_has_a_row_of_its_own(self):
        bench = FakeBench(found={"rate": 1.0, "disk": {"p99": 0.001}})
        figures = kept.measure_round(bench, peers("fsync"), 0)
        self.assertEqual(figures["kept fan-in"], {"fsync": {"rate": 1.0}, "disk": {"p99": 0.001}})

    def test_without_fsync_there_is_no_disk(self):
        figures = kept.measure_round(FakeBench(), peers("absent", "memory"), 0)
        self.assertEqual(figures["kept fan-out"], {"absent": {"unusable": "it ended at once"},
                                                   "memory": {"rate": 1.0}})

    def test_nothing_starts_when_it_is_not_asked_for(self):
        options = types.SimpleNamespace(only={"rpc"})
        self.assertEqual(kept.measure_rounds(types.SimpleNamespace(options=options)), [])


if __name__ == "__main__":
    unittest.main()
