"""The arithmetic of broker.py, and what broker_report.py says of it."""

import tempfile
import types
import unittest
from pathlib import Path

import broker
import broker_report
import report
import run
from fake_bench import FakeBench
from server import Unusable


def window(cpu, p99=0.001, disturbed=0.0):
    return {"rate": 1 / cpu, "cpu": cpu, "server_share": 0.9, "generator_share": 0.5, "lost": 0,
            "disturbed_share": disturbed, "p50": p99 / 2, "p99": p99}


def round_of(case, ours, theirs, **more):
    return {case: {"pifleet": window(ours), "mosquitto": window(theirs), **more}}


def memory_round(subscribed=1000, topic=400, filter_bytes=200, publish=1e-6, fetch=0.1):
    def figures():
        return {"mqtt-idle": {"connection": 800, "subscribed": subscribed},
                "retained": {"topic": topic, "store_cpu": 2e-6, "fetch_seconds": fetch,
                             "fetch_cpu": 1e-7},
                "filters": {"filter": filter_bytes, **window(publish)}}
    by_name = {"pifleet": figures(), "mosquitto": figures()}
    return {case: {name: by_name[name][case] for name in by_name} for case in figures()}


def reached(rounds, words):
    return [verdict["reached"] for verdict in broker_report.verdicts(rounds)
            if verdict["what"].startswith(words)]


def text_of(rounds, names=("pifleet", "mosquitto")):
    return report.text({}, [], [], broker_report.tables(rounds, list(names)),
                       broker_report.verdicts(rounds))


class Windows(unittest.TestCase):
    raw = {"lost": 0, "window_ns": 2_000_000_000, "server_cpu_ns": 1_000_000_000,
           "generator_cpu_ns": 500_000_000, "server_wait_ns": 0, "generator_wait_ns": 200_000_000,
           "p50_ns": 30_000, "p99_ns": 90_000, "max_ns": 1_000_000}

    def test_figures_are_those_of_each_message(self):
        found = broker.figures_of_window(self.raw, 500_000)
        self.assertEqual((found["rate"], found["cpu"]), (250_000, 2e-6))
        self.assertEqual((found["server_share"], found["generator_share"]), (0.5, 0.25))
        self.assertEqual((found["disturbed_share"], found["p99"]), (0.1, 90e-6))

    def test_a_window_without_latencies_has_none(self):
        raw = {key: value for key, value in self.raw.items() if not key.startswith("p")}
        self.assertNotIn("p99", broker.figures_of_window(raw, 1))

    def test_nothing_arrived_is_no_division_by_zero(self):
        self.assertEqual(broker.figures_of_window(self.raw, 0)["rate"], 0)

    def test_a_loss_makes_the_row_invalid(self):
        found = broker.figures_of_window({**self.raw, "lost": 7}, 1000)
        self.assertEqual(found["lost"], 7)
        self.assertNotIn("cpu", found)
        rounds = [{"fan-in QoS 0": {"pifleet": found, "mosquitto": window(1e-5)}}]
        self.assertIn("pifleet: not measured in 1 of 1 rounds (fan-in QoS 0): 7 lost beside 1,000",
                      text_of(rounds))
        self.assertEqual(reached(rounds, "fan-in QoS 0"), [False])


class Rows(unittest.TestCase):
    def test_each_says_what_is_under_way_and_in_a_write(self):
        for case, row in broker.FLOWS.items():
            with self.subTest(case):
                arguments = dict(zip(row.arguments[::2], row.arguments[1::2]))
                self.assertEqual(arguments["--window"], row.window)
                self.assertEqual(arguments["--per-write"], row.per_write)
                self.assertEqual(row.window % row.per_write, 0)
                self.assertTrue(row.words.endswith(f"QoS {arguments['--qos']}"))

    def test_goals_stand_where_many_messages_are_under_way(self):
        goals = {case: row.goal for case, row in broker.FLOWS.items() if row.goal}
        self.assertEqual(goals, {
            "fan-in QoS 0": 0.06, "fan-in QoS 1": 0.07, "fan-out QoS 0": 0.19,
            "fan-out QoS 1": 0.20, "pairs QoS 0": 0.14, "pairs QoS 1": 0.12,
            "pairs QoS 2": 0.10})
        self.assertTrue(all(broker.FLOWS[case].window == broker.WINDOW for case in goals))


class Verdicts(unittest.TestCase):
    def test_a_ratio_is_the_median_of_ratios_within_rounds(self):
        rounds = [round_of("pairs QoS 1", 1e-6, 10e-6), round_of("pairs QoS 1", 9e-6, 100e-6),
                  round_of("pairs QoS 1", 1e-6, 5e-6)]
        self.assertEqual(reached(rounds, "pairs QoS 1"), [True])
        found = [verdict for verdict in broker_report.verdicts(rounds)
                 if verdict["what"].startswith("pairs QoS 1")][0]
        self.assertAlmostEqual(found["value"], 0.1)
        self.assertAlmostEqual(found["highest"], 0.2)

    def test_the_milestone_is_that_of_the_worst_row(self):
        good, bad = round_of("fan-in QoS 0", 1e-6, 20e-6), round_of("pairs QoS 0", 2.6e-6, 10e-6)
        self.assertEqual(reached([good], "the highest"), [True])
        self.assertEqual(reached([{**good, **bad}], "the highest"), [False])

    def test_rows_with_one_message_in_a_write_are_not_judged(self):
        self.assertEqual(broker_report.verdicts([round_of("pairs singly", 1e-6, 1e-6)]), [])
        self.assertIn("1.00", text_of([round_of("pairs singly", 1e-6, 1e-6)]))

    def test_connects_are_compared_with_the_bare_server(self):
        def rounds(ours):
            return [round_of("connects", ours, 1e-6, bare=window(10e-6))]
        self.assertEqual(reached(rounds(12.5e-6), "connects"), [True])
        self.assertEqual(reached(rounds(12.6e-6), "connects"), [False])
        self.assertIn("bare", text_of(rounds(10e-6)))

    def test_calls_are_judged_by_their_99th_percentile(self):
        def rounds(case, p99):
            return [{case: {"pifleet": window(1e-6, p99), "mosquitto": window(1e-6, 0.002)}}]
        self.assertEqual(reached(rounds("rpc 1", 0.002), "rpc 1"), [True])
        self.assertEqual(reached(rounds("rpc 1", 0.0021), "rpc 1"), [False])
        self.assertEqual(reached(rounds("rpc 64", 0.001), "rpc 64"), [True])
        self.assertEqual(reached(rounds("rpc 64", 0.0011), "rpc 64"), [False])

    def test_memory_has_bounds_of_its_own(self):
        self.assertNotIn("MISSED", text_of([memory_round()]))
        for more, words in (({"subscribed": 1025}, "an idle connection"),
                            ({"topic": 501}, "a retained topic"),
                            ({"filter_bytes": 301}, "a filter"),
                            ({"publish": 2.1e-6}, "a publish over"),
                            ({"fetch": 0.151}, "100,000 retained")):
            with self.subTest(words):
                self.assertEqual(reached([memory_round(**more)], words), [False])

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        rounds = [{"rpc 1": {"pifleet": {"unusable": "it ended"}, "mosquitto": window(1e-6)}}]
        self.assertEqual([v["reached"] for v in broker_report.verdicts(rounds)], [False])
        self.assertIn("it ended", text_of(rounds))

    def test_what_another_broker_cannot_do_misses_nothing(self):
        rounds = [round_of("rpc 1", 1e-6, 1e-6, other={"unusable": "no response topics"})]
        self.assertNotIn("MISSED", text_of(rounds, ("pifleet", "mosquitto", "other")))
        self.assertIn("no response topics", text_of(rounds, ("pifleet", "mosquitto", "other")))

    def test_nothing_measured_says_nothing(self):
        self.assertEqual(broker_report.verdicts([]), [])
        self.assertEqual(broker_report.tables([], []), [])


class Text(unittest.TestCase):
    def test_every_broker_has_its_columns_and_its_ratio(self):
        rounds = [round_of("fan-out QoS 1", 1e-6, 10e-6, other=window(2e-6))]
        lines = text_of(rounds, ("pifleet", "mosquitto", "other")).splitlines()
        row = next(line for line in lines if "1 publisher to 1,000, QoS 1" in line)
        for words in ("0.10 (0.10 to 0.10)", "0.20 (0.20 to 0.20)", "1.00 µs", "10.00 µs",
                      "500,000", " 20 ", " 10 "):
            self.assertIn(words, row)

    def test_only_columns_that_were_measured_stand_there(self):
        rounds = [{"retained": memory_round()["retained"]}]
        self.assertIn("retained topic", text_of(rounds))
        self.assertNotIn("idle connection  ", text_of(rounds))

    def test_a_disturbed_machine_is_told_of(self):
        quiet, busy = window(1e-6), window(1e-6, disturbed=0.5)
        self.assertNotIn("Beware", text_of([{"rpc 1": {"pifleet": quiet}}]))
        self.assertIn("50 %", text_of([{"rpc 1": {"pifleet": busy}}]))


class Given(unittest.TestCase):
    def test_a_command_gets_the_port_and_a_directory(self):
        peer = broker.given("other=other-broker -p {port} --data '{directory}/a b'")
        self.assertEqual(peer.name, "other")
        self.assertEqual(peer.command(1234, "/d"),
                         ["other-broker", "-p", "1234", "--data", "/d/a b"])

    def test_what_is_not_a_name_and_a_command_with_a_port_is_refused(self):
        for text in ("other", "=x {port}", "pifleet=x {port}", "bare=x {port}", "other=x",
                     "other='x {port}", "a b=x {port}", "other="):
            with self.subTest(text), self.assertRaises(Unusable):
                broker.given(text)

    def test_mosquitto_keeps_nothing_back(self):
        with tempfile.TemporaryDirectory() as directory:
            _, path = broker.mosquitto_arguments(1234, directory)
            lines = Path(path).read_text().splitlines()
        for line in ("listener 1234 127.0.0.1", "set_tcp_nodelay true", "persistence false",
                     "log_dest none", "max_queued_messages 0", "max_inflight_messages 0"):
            self.assertIn(line, lines)


class Rounds(unittest.TestCase):
    def measure(self, *only, rounds=2, names=("pifleet", "weak")):
        bench = FakeBench(broken=("calls", "weak"))
        options = types.SimpleNamespace(only=set(only), broker_rounds=rounds, memory_rounds=1)
        chosen = {name: types.SimpleNamespace(name=name) for name in names}
        return bench, broker.measure_rounds(bench, options, chosen,
                                            types.SimpleNamespace(name="bare"), lambda _: None)

    def test_rounds_begin_with_another_broker_each(self):
        bench, _ = self.measure("connects")
        self.assertEqual(bench.names(),
                         ["pifleet", "weak", "bare", "weak", "bare", "pifleet"])

    def test_what_one_broker_cannot_do_empties_only_its_own_row(self):
        _, rounds = self.measure("rpc", "mqtt-idle")
        self.assertEqual(rounds[0]["rpc 64"], {"pifleet": {"rate": 1.0},
                                               "weak": {"unusable": "too much"}})
        self.assertIn("mqtt-idle", rounds[0])
        self.assertNotIn("mqtt-idle", rounds[1])

    def test_one_that_does_not_start_leaves_the_others_their_rows(self):
        _, rounds = self.measure("pairs", "rpc", names=("absent", "pifleet"))
        for case in ("pairs QoS 2", "rpc 1"):
            self.assertEqual(rounds[1][case], {"absent": {"unusable": "it ended at once"},
                                               "pifleet": {"rate": 1.0}})

    def test_only_what_was_asked_for_is_measured(self):
        _, rounds = self.measure("pairs", rounds=1)
        self.assertEqual(set(rounds[0]), {"pairs QoS 0", "pairs QoS 1", "pairs QoS 2",
                                          "pairs singly"})

    def test_every_part_can_be_chosen_by_name(self):
        self.assertLessEqual(set(broker.PARTS), set(run.PARTS))
        self.assertIn("broker", run.PARTS)


if __name__ == "__main__":
    unittest.main()
