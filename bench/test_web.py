"""The arithmetic of web.py, and what web_report.py says of it."""

import json
import tempfile
import types
import unittest
from pathlib import Path

import web
import web_report
from fake_bench import FakeBench, peers


def window(cpu, disturbed=0.0):
    return {"rate": 1 / cpu, "p50": 1e-4, "p99": 2e-4, "cpu_per_request": cpu, "server_share": 0.99,
            "generator_share": 0.8, "disturbed_share": disturbed}


class Requests(unittest.TestCase):
    def test_they_are_alike_but_for_the_tag(self):
        plain, conditional = web.request_text(80), web.request_text(80, '"a-1"')
        self.assertTrue(plain.startswith("GET /page.html HTTP/1.1\r\nHost: 127.0.0.1:80\r\n"))
        self.assertTrue(plain.endswith("\r\n\r\n"))
        self.assertEqual(conditional.replace('If-None-Match: "a-1"\r\n', ""), plain)


class Servers(unittest.TestCase):
    def test_both_serve_the_same_file_at_the_port(self):
        for arguments in (web.agent_arguments, web.nginx_arguments):
            with self.subTest(arguments.__name__), tempfile.TemporaryDirectory() as directory:
                arguments(1234, directory)
                page = Path(directory) / "page" / web.FILE_NAME
                self.assertEqual(len(page.read_bytes()), web.FILE_BYTES)

    def test_nginx_is_one_process_that_reads_no_file_twice(self):
        with tempfile.TemporaryDirectory() as directory:
            path = web.nginx_arguments(1234, directory)[3]
            text = Path(path).read_text()
        for line in ("master_process off;", "open_file_cache max=16 inactive=1h;",
                     "access_log off;", "listen 127.0.0.1:1234;"):
            self.assertIn(line, text)

    def test_the_agent_serves_http_there_and_nothing_else_at_a_fixed_port(self):
        with tempfile.TemporaryDirectory() as directory:
            config = json.loads(Path(web.agent_arguments(1234, directory)[1]).read_text())
        self.assertEqual((config["http"]["port"], config["mqtt"]["port"]), (1234, 0))


class Rounds(unittest.TestCase):
    def test_every_case_asks_every_server(self):
        bench = FakeBench(broken=("window", "nginx"))
        figures = web.measure_round(bench, peers("agent", "nginx"), 1)
        self.assertEqual(bench.asked, [("window", name, case) for case in web.CASES
                                       for name in ("nginx", "agent")])
        self.assertEqual(figures["http unchanged"], {"agent": {"rate": 1.0},
                                                     "nginx": {"unusable": "too much"}})

    def test_nothing_starts_when_it_is_not_asked_for(self):
        options = types.SimpleNamespace(only={"rpc"})
        self.assertEqual(web.measure_rounds(types.SimpleNamespace(options=options)), [])


class Text(unittest.TestCase):
    def test_the_ratio_is_that_of_the_cpu_within_rounds(self):
        rounds = [{"http file": {"agent": window(8e-6), "nginx": window(10e-6)}},
                  {"http file": {"agent": window(9e-6), "nginx": window(10e-6)}}]
        row = next(line for line in web_report.tables(rounds) if "agent: the file" in line)
        for words in ("0.85 (0.80 to 0.90)", "8.50 µs", "99 %"):
            self.assertIn(words, row)

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        rounds = [{"http file": {"agent": {"unusable": "it ended"}, "nginx": window(1e-5)}}]
        self.assertEqual([verdict["reached"] for verdict in web_report.verdicts(rounds)], [False])
        self.assertIn("it ended", "\n".join(web_report.tables(rounds)))

    def test_what_nginx_cannot_do_misses_nothing(self):
        rounds = [{"http file": {"agent": window(1e-5), "nginx": {"unusable": "no"}}}]
        self.assertEqual(web_report.verdicts(rounds), [])

    def test_nothing_measured_says_nothing(self):
        self.assertEqual((web_report.verdicts([]), web_report.tables([])), ([], []))


if __name__ == "__main__":
    unittest.main()
