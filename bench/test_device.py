"""The arithmetic of device.py and guarded.py, and what device_report.py says of it."""

import os
import struct
import tempfile
import unittest
from pathlib import Path

import device
import device_report
import report
from guarded import Record


def kill_figures(p99, others=0.0):
    return {"kills": 25, "lines": 20, "memory": 6 << 20, "min": 0.00005, "p50": 0.0001,
            "p99": p99, "max": 0.02, "by_pidfd": 0, "realtime": True, "others_share": others}


def idle_figures(share):
    return {"window": 60.0, "lines": 20, "ticks": 0, "tick_seconds": 0.01, "cpu_share": share,
            "switches_per_second": 4.0, "others_share": 0.0,
            "threads": {"agent: hardware 3": {"ns_per_second": 74000.0,
                                              "switches_per_second": 2.0}}}


def reached(parts):
    return [verdict["reached"] for verdict in device_report.verdicts(parts)]


def text_of(parts):
    return report.text({}, [], [], device_report.tables(parts), device_report.verdicts(parts))


class Arithmetic(unittest.TestCase):
    def test_a_quantile_is_a_value_that_was_measured(self):
        values = list(range(1, 201))
        self.assertEqual(device.quantile(values, 0.5), 100)
        self.assertEqual(device.quantile(values, 0.99), 198)
        self.assertEqual(device.quantile(values, 1), 200)
        self.assertEqual(device.quantile([7], 0.99), 7)
        # With few of them, p99 is the worst.
        self.assertEqual(device.quantile(list(range(25)), 0.99), 24)

    def test_what_others_use_is_not_less_than_nothing(self):
        figures = {}
        with device.others(figures):
            sum(range(100000))
        self.assertTrue(0 <= figures["others_share"] <= 1.5)

    def test_the_clocks_of_a_process_are_read(self):
        clocks = device.thread_clocks(os.getpid())
        name, cpu_ns, _ = clocks[os.getpid()]
        self.assertTrue(name)
        self.assertGreater(cpu_ns, 0)
        self.assertGreaterEqual(device.process_ticks(os.getpid()), 0)


class Lines(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.record = Record(Path(self.directory.name) / "record")

    def tearDown(self):
        self.record.close()
        self.directory.cleanup()

    def write(self, *drives):
        struct.pack_into("=I", self.record.memory, 0, len(drives))
        for i, drive in enumerate(drives):
            Record.DRIVE.pack_into(self.record.memory, 16 + 16 * i, *drive)

    def test_they_are_safe_when_the_last_of_them_was_set(self):
        self.write((int(1e9), 7, 2), (int(2e9), 7, 1))
        self.assertEqual(self.record.lines_set(7, 0.5, 3), 2.0)
        self.assertIsNone(self.record.lines_set(7, 0.5, 4))

    def test_what_the_agent_set_or_was_set_before_does_not_count(self):
        self.write((int(1e9), 7, 2), (int(2e9), 8, 2), (int(3e9), 7, 2))
        self.assertEqual(self.record.lines_set(7, 1.5, 2), 3.0)

    def test_a_second_trigger_that_sets_them_again_changes_nothing(self):
        self.write((int(1e9), 7, 2), (int(9e9), 7, 2))
        self.assertEqual(self.record.lines_set(7, 0.5, 2), 1.0)

    def test_one_that_is_being_written_does_not_count(self):
        self.write((0, 7, 2))
        self.assertIsNone(self.record.lines_set(7, 0.0, 2))


class Verdicts(unittest.TestCase):
    def test_the_bounds_are_excluded(self):
        self.assertEqual(reached({"kill": {"a": kill_figures(0.00499)}}), [True])
        self.assertEqual(reached({"kill": {"a": kill_figures(0.005)}}), [False])
        self.assertEqual(reached({"idle-cpu": {"a": idle_figures(0.0004)}}), [True])
        self.assertEqual(reached({"idle-cpu": {"a": idle_figures(0.0005)}}), [False])

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        parts = {"kill": {"a": {"unusable": "it did not serve"}, "b": kill_figures(0.001)}}
        self.assertEqual(sorted(reached(parts)), [False, True])
        self.assertIn("a: not measured: it did not serve", text_of(parts))

    def test_only_what_was_measured_is_judged(self):
        self.assertEqual(device_report.verdicts({}), [])
        self.assertEqual(device_report.tables({}), [])

    def test_small_shares_are_not_rounded_to_nothing(self):
        text = text_of({"idle-cpu": {"both": idle_figures(0.000126)}})
        self.assertIn("0.0126 %", text)
        self.assertIn("74,000 ns", text)

    def test_a_disturbed_machine_is_told_of(self):
        self.assertNotIn("Beware", text_of({"kill": {"a": kill_figures(0.001)}}))
        self.assertIn("used up to 30 %",
                      text_of({"kill": {"a": kill_figures(0.001, others=0.3)}}))


if __name__ == "__main__":
    unittest.main()
