"""The arithmetic of paced.py, and what paced_report.py says of it."""

import contextlib
import json
import tempfile
import types
import unittest
from pathlib import Path

import paced
import paced_report
import run
from server import Unusable


def figures(p50, p99, **more):
    return {"p50": p50, "p99": p99, "max": 2 * p99, **more}


def round_of(case, ours, theirs):
    return {case: {"agent": figures(*ours, commands=100, cpu=1e-5, disturbed_share=0.0),
                   "echo": figures(*theirs)}}


def reached(rounds):
    return [verdict["reached"] for verdict in paced_report.verdicts(rounds)]


class Windows(unittest.TestCase):
    def test_both_servers_have_their_latencies(self):
        found = paced.figures_of_window({
            "commands": 100, "window_ns": 1_000_000_000, "server_cpu_ns": 5_000_000,
            "server_wait_ns": 0, "generator_wait_ns": 100_000_000,
            "p50_ns": 50_000, "p99_ns": 90_000, "max_ns": 100_000,
            "echo_p50_ns": 20_000, "echo_p99_ns": 60_000, "echo_max_ns": 70_000})
        self.assertEqual((found["agent"]["p50"], found["agent"]["p99"]), (50e-6, 90e-6))
        self.assertEqual((found["echo"]["p50"], found["echo"]["max"]), (20e-6, 70e-6))
        self.assertEqual((found["agent"]["cpu"], found["agent"]["disturbed_share"]), (50e-6, 0.1))


class Verdicts(unittest.TestCase):
    def test_the_median_is_judged_by_its_difference_and_the_tail_by_its_ratio(self):
        case = "mqtt-pin 100"
        self.assertEqual(reached([round_of(case, (45e-6, 90e-6), (20e-6, 60e-6))]), [True, True])
        self.assertEqual(reached([round_of(case, (45.1e-6, 90e-6), (20e-6, 60e-6))]),
                         [False, True])
        self.assertEqual(reached([round_of(case, (45e-6, 91e-6), (20e-6, 60e-6))]), [True, False])

    def test_every_pace_has_both(self):
        rounds = [{}]
        for case in paced.CASES:
            rounds[0].update(round_of(case, (45e-6, 90e-6), (20e-6, 60e-6)))
        self.assertEqual(reached(rounds), [True] * 6)

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        rounds = [{"mqtt-pin 1": {"agent": {"unusable": "it ended"}}}]
        self.assertEqual(reached(rounds), [False])
        self.assertIn("it ended", "\n".join(paced_report.tables(rounds)))

    def test_nothing_measured_says_nothing(self):
        self.assertEqual((paced_report.verdicts([]), paced_report.tables([])), ([], []))


class Text(unittest.TestCase):
    def test_the_differences_stand_in_the_row_of_the_agent(self):
        text = paced_report.tables([round_of("mqtt-pin 1000", (45e-6, 90e-6), (20e-6, 60e-6))])
        row = next(line for line in text if "agent, 1000 a second" in line)
        for words in ("25.0 µs (25.0 µs to 25.0 µs)", "1.50 (1.50 to 1.50)", "100"):
            self.assertIn(words, row)


class FakeBench:
    """Notes at which pace was asked."""

    def __init__(self, fails=None):
        self.bench, self.paces, self.fails = self, [], fails

    @contextlib.contextmanager
    def start(self, peer):
        yield peer

    start_agent = start

    def window(self, agent, echo, pace, seconds):
        self.paces.append((agent, echo, pace, seconds))
        if pace == self.fails:
            raise Unusable("too much")
        return {"agent": {"p50": 1.0}, "echo": {"p50": 1.0}}


class Rounds(unittest.TestCase):
    def test_one_a_second_has_its_window_in_the_first_round(self):
        bench = FakeBench()
        paced.measure_round(bench, ("a", "e"), 0, False)
        self.assertEqual(bench.paces, [("a", "e", 1, 300), ("a", "e", 100, 20), ("a", "e", 1000, 5)])
        bench.paces.clear()
        paced.measure_round(bench, ("a", "e"), 1, True)
        self.assertEqual(bench.paces, [("a", "e", 100, 2), ("a", "e", 1000, 1)])

    def test_a_pace_that_cannot_be_measured_empties_only_its_own_row(self):
        found = paced.measure_round(FakeBench(fails=100), ("a", "e"), 0, True)
        self.assertEqual(found["mqtt-pin 100"], {"agent": {"unusable": "too much"}})
        self.assertIn("echo", found["mqtt-pin 1000"])

    def test_nothing_starts_when_it_is_not_asked_for(self):
        options = types.SimpleNamespace(only={"rpc"})
        self.assertEqual(paced.measure_rounds(types.SimpleNamespace(options=options)), [])

    def test_every_section_can_be_chosen_by_name(self):
        self.assertLessEqual(set(run.SECTION_PARTS), set(run.PARTS))


class Agent(unittest.TestCase):
    def test_it_serves_mqtt_at_the_port_and_has_a_simulated_pin(self):
        with tempfile.TemporaryDirectory() as directory:
            _, _, path, *_ = paced.agent_peer("agent").command(1234, directory)
            config = json.loads(Path(path).read_text())
        self.assertEqual((config["mqtt"]["port"], config["gpio"]["backend"]), (1234, "simulated"))


if __name__ == "__main__":
    unittest.main()
