"""The arithmetic and the verdicts of report.py, on figures made by hand."""

import unittest

import report


def round_of(agent, redis, python=100.0, p99=0.001):
    def figures(rate, p99_seconds):
        return {"rate": rate, "p50": 0.0005, "p99": p99_seconds, "p999": 0.002,
                "cpu_per_request": 1 / rate, "server_share": 0.99, "generator_share": 0.5,
                "generator_bound": False, "disturbed_share": 0.0}
    return {"50x16": {"agent": figures(agent, p99), "redis": figures(redis, 0.001),
                      "python": figures(python, 0.1)}}


def verdict(rounds, what):
    return next(v for v in report.verdicts(rounds) if v["what"].startswith(what))


class Ratios(unittest.TestCase):
    def test_a_ratio_is_the_median_of_ratios_within_rounds(self):
        # A round on a machine half as fast disturbs no ratio.
        rounds = [round_of(800, 1000), round_of(400, 500), round_of(900, 1000)]
        self.assertEqual(report.ratio(rounds, "50x16", "rate", "agent", "redis"), (0.8, 0.8, 0.9))

    def test_one_bad_round_of_nine_changes_no_median(self):
        rounds = [round_of(800, 1000)] * 8 + [round_of(1, 1000)]
        self.assertEqual(report.ratio(rounds, "50x16", "rate", "agent", "redis")[0], 0.8)

    def test_what_was_not_measured_has_no_ratio(self):
        rounds = [round_of(800, 1000)]
        self.assertIsNone(report.ratio(rounds, "1x1", "rate", "agent", "redis"))
        self.assertIsNone(report.ratio(rounds, "50x16", "rate", "agent", "echo"))


    def test_a_peer_that_failed_in_one_round_disturbs_no_ratio_of_the_others(self):
        rounds = [round_of(800, 1000), round_of(900, 1000), round_of(700, 1000)]
        rounds[1]["50x16"]["redis"] = {"unusable": "it was full"}
        self.assertEqual(report.ratio(rounds, "50x16", "rate", "agent", "redis"), (0.75, 0.7, 0.8))


    def test_a_difference_is_that_of_each_round_too(self):
        def of_pin(agent, echo):
            return {"pin": {"agent": {"p50": agent}, "echo": {"p50": echo}}}

        rounds = [of_pin(30e-6, 10e-6), of_pin(60e-6, 50e-6), of_pin(45e-6, 15e-6)]
        found = verdict(rounds, "pin: p50, agent - echo")
        self.assertAlmostEqual(found["value"], 20e-6)
        self.assertTrue(found["reached"])
        self.assertFalse(verdict([of_pin(46e-6, 20e-6)], "pin: p50")["reached"])


class Unmeasured(unittest.TestCase):
    def test_the_row_of_a_peer_is_empty_and_the_reason_stands_below(self):
        idle = {"agent": {"pss_per_connection": 100, "pss": 1},
                "python": {"unusable": "python did not hold 10000 connections"}}
        text = report.text({}, [{"idle": idle}], ["agent", "python"])
        self.assertIn("python: not measured in 1 of 1 rounds (idle): python did not hold", text)
        self.assertIn("reached", text)
        self.assertNotIn("MISSED", text)
        self.assertEqual(report.summary([{"idle": idle}])["idle"]["python"], {})

    def test_other_rounds_of_that_peer_still_count(self):
        rounds = [round_of(800, 1000), round_of(900, 1000)]
        rounds[0]["50x16"]["python"] = {"unusable": "it ended"}
        text = report.text({}, rounds, ["agent", "redis", "python"])
        self.assertIn("python: not measured in 1 of 2 rounds (50x16): it ended", text)
        self.assertEqual(report.middle(rounds, "50x16", "python", "rate"), 100.0)

    def test_an_agent_that_could_not_be_measured_has_missed(self):
        found = report.verdicts([{"idle": {"agent": {"unusable": "it ended"}}}])
        self.assertEqual([v["reached"] for v in found], [False])


class Verdicts(unittest.TestCase):
    def test_the_rate_target_includes_its_bound(self):
        what = "50x16: requests/s, agent / redis"
        self.assertTrue(verdict([round_of(700, 1000)], what)["reached"])
        self.assertFalse(verdict([round_of(699, 1000)], what)["reached"])

    def test_the_p99_target_excludes_its_bound(self):
        self.assertTrue(verdict([round_of(1, 1, p99=0.00149)], "50x16: p99")["reached"])
        self.assertFalse(verdict([round_of(1, 1, p99=0.0015)], "50x16: p99")["reached"])

    def test_memory_is_judged_by_the_median(self):
        rounds = [{"idle": {"agent": {"pss_per_connection": value, "pss": 1}}}
                  for value in (4000, 4095, 9000)]
        self.assertTrue(verdict(rounds, "memory for each")["reached"])
        rounds[0]["idle"]["agent"]["pss_per_connection"] = 4096
        self.assertFalse(verdict(rounds, "memory for each")["reached"])

    def test_only_what_was_measured_is_judged(self):
        self.assertEqual(report.verdicts([{}]), [])
        self.assertEqual(len(report.verdicts([round_of(1, 1)])), 3)


class Text(unittest.TestCase):
    def test_a_missed_target_stands_out(self):
        text = report.text({}, [round_of(1, 1000)], ["agent", "redis", "python"])
        self.assertIn("MISSED", text)

    def test_a_disturbed_machine_is_told_of(self):
        rounds = [round_of(1, 1)]
        self.assertNotIn("Beware", report.text({}, rounds, ["agent", "redis"]))
        for figures in rounds[0]["50x16"].values():
            figures["disturbed_share"] = 0.2
        self.assertIn("Beware", report.text({}, rounds, ["agent", "redis"]))

    def test_a_generator_at_its_limit_is_told_of(self):
        rounds = [round_of(1, 1)]
        rounds[0]["50x16"]["agent"]["generator_bound"] = True
        self.assertIn("1 of 1 rounds", report.text({}, rounds, ["agent", "redis"]))

    def test_times_and_sizes_have_readable_units(self):
        self.assertEqual(report.time_text(0.0000217), "21.7 µs")
        self.assertEqual(report.time_text(0.00116), "1.16 ms")
        self.assertEqual(report.bytes_text(3900), "3900 B")
        self.assertEqual(report.bytes_text(8 * 1024 * 1024), "8.00 MiB")


if __name__ == "__main__":
    unittest.main()
