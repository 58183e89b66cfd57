"""Servers side by side, and what the measurements make of raw figures."""

import unittest

from fake_bench import FakeBench, peers
from measure import side_by_side, turned


class SideBySide(unittest.TestCase):
    def measure(self, number, *names, broken=None):
        bench = FakeBench(broken)
        return bench, side_by_side(bench.start, peers(*names), number,
                                   {"one": bench.first, "two": bench.second})

    def test_rounds_begin_with_another_server_each(self):
        for number, names in ((0, ["a", "b"]), (1, ["b", "a"]), (2, ["a", "b"])):
            bench, _ = self.measure(number, "a", "b")
            self.assertEqual(bench.names(), names * 2)

    def test_what_one_cannot_do_empties_only_its_own_row(self):
        _, figures = self.measure(0, "a", "b", broken=("first", "b"))
        self.assertEqual(figures["one"], {"a": {"rate": 1.0}, "b": {"unusable": "too much"}})
        self.assertEqual(figures["two"]["b"], {"rate": 1.0})

    def test_one_that_does_not_start_leaves_the_others_their_rows(self):
        _, figures = self.measure(0, "absent", "a")
        for case in ("one", "two"):
            self.assertEqual(figures[case], {"absent": {"unusable": "it ended at once"},
                                             "a": {"rate": 1.0}})

    def test_a_measurement_may_leave_a_server_out(self):
        figures = side_by_side(FakeBench().start, peers("a", "b"), 0,
                               {"one": lambda server: None if server.peer.name == "a" else {}})
        self.assertEqual(figures, {"one": {"b": {}}})

    def test_nobody_to_begin_with_is_no_error(self):
        self.assertEqual(turned([], 3), [])


if __name__ == "__main__":
    unittest.main()
