"""The arithmetic of deployed.py, what deployed_report.py says of it, and the in-process server."""

import ast
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import deployed
import deployed_report
import modules
import report
import run
from server import HERE, Unusable


def deploy_figures(p50, others=0.0, **more):
    return {"lines": 100, "cpu": 0.07, "min": p50, "p50": p50, "p90": p50, "max": p50,
            "others_share": others, **more}


def call_round(builtin, python, in_process=(20e-6, 21e-6)):
    def latency(p50):
        return {"p50": p50, "p99": 10 * p50, "max": 1.0}
    return {"call": {"built-in": latency(builtin), "python": latency(python),
                     "c": {"unusable": "there is no C compiler"},
                     "in-process built-in": latency(in_process[0]),
                     "in-process python": latency(in_process[1])}}


def calls(*rounds):
    return {who: {"others_share": 0.0, **deployed.of_calls(list(rounds), who)}
            for who in rounds[0]["call"]}


def start_run(seconds):
    return {"first": 0.1, "seconds": seconds, "cpu": 1.0, "processes": 202, "others_share": 0.0}


def memory(private):
    return {"python": {"private": private, "host": private - 1, "reported": private - 2}}


def reached(parts):
    return [verdict["reached"] for verdict in deployed_report.verdicts(parts)]


def text_of(parts):
    return report.text({}, [], [], deployed_report.tables(parts),
                       deployed_report.verdicts(parts))


class Arithmetic(unittest.TestCase):
    def test_more_is_the_median_of_differences_within_rounds(self):
        # A slow round is slow for both.
        rounds = [call_round(20e-6, 34e-6), call_round(60e-6, 76e-6), call_round(20e-6, 33e-6)]
        found = deployed.of_calls(rounds, "python")
        self.assertAlmostEqual(found["more_p50"], 14e-6)
        self.assertAlmostEqual(found["more_lowest"], 13e-6)
        self.assertAlmostEqual(found["more_highest"], 16e-6)
        self.assertAlmostEqual(found["more_p99"], 140e-6)
        self.assertEqual(found["p50"], 34e-6)

    def test_each_server_is_compared_with_its_own_built_in_command(self):
        found = deployed.of_calls([call_round(20e-6, 34e-6)], "in-process python")
        self.assertAlmostEqual(found["more_p50"], 1e-6)
        self.assertNotIn("more_p50", deployed.of_calls([call_round(1, 2)], "built-in"))

    def test_starts_are_judged_by_their_median(self):
        found = deployed.of_starts([start_run(2.0), start_run(6.0), start_run(3.0)])
        self.assertEqual((found["seconds"], found["seconds_min"], found["seconds_max"]),
                         (3.0, 2.0, 6.0))
        self.assertNotIn("seconds_min", deployed.of_starts([{"first": 1.0}]))

    def test_a_spread_has_values_that_were_measured(self):
        self.assertEqual(deployed.spread([5, 1, 4, 2, 3]),
                         {"min": 1, "p50": 3, "p90": 5, "max": 5})

    def test_private_memory_is_what_is_clean_and_what_is_dirty(self):
        rollup = "1000-2000 ---p 0 [rollup]\nRss: 900 kB\nShared_Clean: 500 kB\n" \
                 "Private_Clean: 30 kB\nPrivate_Dirty: 12 kB\nPrivate_Hugetlb: 0 kB\n"
        self.assertEqual(deployed.private_bytes(rollup), 42 * 1024)


class Processes(unittest.TestCase):
    def test_they_are_found_down_to_the_grandchildren(self):
        with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE,
                              text=True) as child:
            try:
                grandchild = int(child.stdout.readline())
                self.assertIn(grandchild, deployed.descendants(os.getpid()))
                self.assertEqual(deployed.sandbox_of(os.getpid(), grandchild), [grandchild])
                with self.assertRaises(Unusable):
                    deployed.sandbox_of(child.pid, child.pid)
                self.assertGreater(deployed.process_private(child.pid), 0)
            finally:
                os.kill(grandchild, 9)

    def test_what_is_gone_has_left_its_time_to_who_waited(self):
        before = deployed.cpu_seconds(os.getpid())
        subprocess.run([sys.executable, "-c",
                        "import time\nwhile time.process_time() < 0.1: pass"], check=True)
        self.assertGreaterEqual(deployed.cpu_seconds(os.getpid()) - before, 0.08)

    def test_a_process_that_is_gone_has_nothing(self):
        child = subprocess.Popen(["true"])
        child.wait()
        self.assertEqual(deployed.cpu_seconds(child.pid), 0)
        self.assertEqual(deployed.children(child.pid), [])


class Refused(unittest.TestCase):
    def test_where_the_kernel_does_not_tell_the_agent_is_believed(self):
        with unittest.mock.patch.object(deployed, "process_private", side_effect=PermissionError):
            found = deployed.memory_figures(1, 2, 9 << 20)
        parts = {"host-memory": {"python": found}}
        self.assertEqual(reached(parts), [False])
        self.assertIn("root only", text_of(parts))
        self.assertNotIn("root only", text_of({"host-memory": memory(1 << 20)}))


class Verdicts(unittest.TestCase):
    def test_the_bounds_are_excluded(self):
        self.assertEqual(reached({"deploy": {"agent": deploy_figures(0.1999)}}), [True])
        self.assertEqual(reached({"deploy": {"agent": deploy_figures(0.2)}}), [False])
        self.assertEqual(reached({"call": calls(call_round(0, 59.9e-6))}), [True])
        self.assertEqual(reached({"call": calls(call_round(0, 60e-6))}), [False])
        self.assertEqual(reached({"modules": {"now": deployed.of_starts([start_run(4.9)])}}),
                         [True])
        self.assertEqual(reached({"modules": {"now": deployed.of_starts([start_run(5.0)])}}),
                         [False])
        self.assertEqual(reached({"host-memory": memory((8 << 20) - 1)}), [True])
        self.assertEqual(reached({"host-memory": memory(8 << 20)}), [False])

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        parts = {"deploy": {"agent": {"unusable": "it did not serve"}}}
        self.assertEqual(reached(parts), [False])
        self.assertIn("agent: not measured: it did not serve", text_of(parts))

    def test_a_machine_without_a_compiler_misses_nothing(self):
        parts = {"call": calls(call_round(20e-6, 34e-6))}
        self.assertEqual(reached(parts), [True])
        self.assertIn("a handler in C: not measured: there is no C compiler", text_of(parts))

    def test_only_what_was_measured_is_judged(self):
        self.assertEqual(deployed_report.verdicts({}), [])
        self.assertEqual(deployed_report.tables({}), [])

    def test_ratios_stand_beside_the_agent(self):
        parts = {"deploy": {"agent": deploy_figures(0.1, ratios=[10.0, 40.0, 20.0]),
                            "in-process": deploy_figures(0.005)}}
        self.assertIn("20.0 times", text_of(parts))

    def test_a_disturbed_machine_is_told_of(self):
        self.assertNotIn("Beware", text_of({"deploy": {"agent": deploy_figures(0.1)}}))
        self.assertIn("used up to 60 %",
                      text_of({"deploy": {"agent": deploy_figures(0.1, others=0.6)}}))


class Parts(unittest.TestCase):
    def test_a_part_that_fails_takes_no_other_with_it(self):
        class Broken:
            def deploys(self, _):
                raise Unusable("it ended")

            def memory(self):
                return memory(1 << 20)

        options = type("Options", (), {"only": ("deploy", "host-memory"), "deploys": 1})
        self.assertEqual(run.deployed_parts(Broken(), options),
                         {"deploy": {"agent": {"unusable": "it ended"}},
                          "host-memory": memory(1 << 20)})


class Modules(unittest.TestCase):
    def test_each_version_of_the_camera_has_a_command_of_its_own(self):
        codes = [modules.camera(version) for version in (1, 2)]
        for code, command in codes:
            self.assertIn(command, {node.name for node in ast.walk(ast.parse(code))
                                    if isinstance(node, ast.FunctionDef)})
            self.assertTrue(95 <= len(code.splitlines()) <= 105, len(code.splitlines()))
        self.assertNotEqual(*(command for _, command in codes))

    def test_numbered_ones_have_names_of_their_own(self):
        found = [modules.numbered(number) for number in range(deployed.MANY)]
        for part in zip(*found):
            self.assertEqual(len(set(part)), deployed.MANY)
        for _, code, command in found:
            self.assertIn(f"handle_{command}", code)


class InProcessServer(unittest.TestCase):
    def setUp(self):
        spec = importlib.util.spec_from_file_location(
            "module_server", HERE / "peers" / "module-server.py")
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
        self.directory = tempfile.TemporaryDirectory()
        self.commands = {}
        self.modules = program.Modules(Path(self.directory.name), self.commands)

    def tearDown(self):
        self.directory.cleanup()

    def update(self, code):
        with contextlib.redirect_stdout(None):
            return self.modules.update({"filename": "camera_handlers.py", "code": code})

    def test_a_new_version_is_live_and_the_old_one_backed_up(self):
        for version in (1, 2):
            code, command = modules.camera(version)
            reply = self.update(code)
            self.assertTrue(reply["success"], reply)
            self.assertEqual(self.commands[command]({})["version"], version)
        self.assertEqual(len(list(self.modules.backups.iterdir())), 1)

    def test_functions_named_handle_are_commands_where_there_is_no_table(self):
        self.update(modules.ECHO_PYTHON)
        self.assertEqual(self.commands["echo_python"]({"text": "x"}), {"echo": {"text": "x"}})

    def test_what_is_wrong_is_refused(self):
        for code, words in (("def f(:\n", "Syntax Error at line 1"),
                            ("import os\nos.system('x')\n", "Dangerous pattern detected"),
                            ("import no_such_module\n", "Missing dependency: no_such_module"),
                            ("1 / 0\n", "Import failed: division by zero")):
            with self.subTest(code):
                self.assertIn(words, self.update(code)["error"])


if __name__ == "__main__":
    unittest.main()
