"""The arithmetic of secured.py, and what secured_report.py says of it."""

import json
import tempfile
import types
import unittest
from pathlib import Path

import broker
import secured
import secured_report
from fake_bench import FakeBench, peers
from server import Unusable

IDENTITY = types.SimpleNamespace(certificate=Path("/c.pem"), key=Path("/k.pem"))


def window(cpu, resumed=None):
    share = {} if resumed is None else {"resumed_share": resumed}
    return {"rate": 1 / cpu, "cpu": cpu, "p50": 1e-3, "p99": 2e-3, "lost": 0,
            "disturbed_share": 0.0, **share}


def idle(subscribed):
    return {"connection": subscribed - 200, "subscribed": subscribed}


def reached(rounds):
    return [verdict["reached"] for verdict in secured_report.verdicts(rounds)]


class Peers(unittest.TestCase):
    def listener_of(self, kind):
        with tempfile.TemporaryDirectory() as directory:
            path = secured.broker_peer("broker", kind, IDENTITY).command(1234, directory)[2]
            return json.loads(Path(path).read_text())["listeners"][0]

    def lines_of(self, kind):
        with tempfile.TemporaryDirectory() as directory:
            path = secured.mosquitto_peer("mosquitto", kind, IDENTITY).command(1234, directory)[2]
            return Path(path).read_text().splitlines()

    def test_each_has_one_listener_of_the_kind(self):
        for kind, (tls, websocket) in secured.KINDS.items():
            with self.subTest(kind):
                listener, lines = self.listener_of(kind), self.lines_of(kind)
                self.assertEqual(listener["port"], 1234)
                self.assertEqual(listener.get("certificate"), "/c.pem" if tls else None)
                self.assertEqual(listener["protocol"], "http" if websocket else "mqtt")
                self.assertEqual("certfile /c.pem" in lines, tls)
                self.assertEqual("protocol websockets" in lines, websocket)

    def test_a_certificate_and_its_key_are_made(self):
        with tempfile.TemporaryDirectory() as directory:
            identity = secured.Identity(directory)
            self.assertIn("BEGIN CERTIFICATE", identity.certificate.read_text())
            self.assertIn("PRIVATE KEY", identity.key.read_text())

    def test_a_folder_that_cannot_hold_them_is_told_of(self):
        with self.assertRaisesRegex(Unusable, "openssl: "):
            secured.Identity("/nowhere")


class Handshakes(unittest.TestCase):
    def found(self, how, share):
        bench = types.SimpleNamespace(window=lambda *_: window(1e-4, share))
        return secured.SecuredBench.handshakes(bench, None, how)

    def test_all_are_resumed_or_none(self):
        self.assertEqual(self.found("full", 0.0)["cpu"], 1e-4)
        self.assertEqual(self.found("resumed", 1.0)["cpu"], 1e-4)
        for how, share in (("full", 0.01), ("resumed", 0.99)):
            with self.subTest(how), self.assertRaisesRegex(Unusable, "were resumed"):
                self.found(how, share)

    def test_the_share_is_that_of_the_window(self):
        raw = {"lost": 0, "window_ns": 1, "server_cpu_ns": 1, "generator_cpu_ns": 1,
               "server_wait_ns": 0, "generator_wait_ns": 0, "resumed": 5}
        self.assertEqual(broker.figures_of_window(raw, 10)["resumed_share"], 0.5)


class Verdicts(unittest.TestCase):
    def test_an_idle_connection_under_tls_has_a_bound(self):
        for count, expected in ((12 * 1024, True), (12 * 1024 + 1, False)):
            self.assertEqual(reached([{"idle tls": {"pifleet": idle(count)}}]), [expected])
        self.assertEqual(reached([{"idle wss": {"pifleet": idle(10**6)}}]), [])

    def test_what_could_not_be_measured_has_missed_and_says_why(self):
        rounds = [{"tls resumed": {"pifleet": {"unusable": "3% of its sessions were resumed"},
                                   "bare": window(1e-4)}}]
        self.assertEqual(reached(rounds), [False])
        self.assertIn("3% of its sessions", "\n".join(secured_report.tables(rounds)))

    def test_what_mosquitto_cannot_do_misses_nothing(self):
        self.assertEqual(reached([{"tls full": {"pifleet": window(1e-4),
                                                "mosquitto": {"unusable": "no"}}}]), [])

    def test_nothing_measured_says_nothing(self):
        self.assertEqual((secured_report.verdicts([]), secured_report.tables([])), ([], []))


class Text(unittest.TestCase):
    def test_handshakes_are_compared_with_the_bare_server(self):
        rounds = [{"tls full": {"pifleet": window(3e-4), "bare": window(2e-4),
                                "mosquitto": window(6e-4)}}]
        row = next(line for line in secured_report.tables(rounds) if "pifleet, full" in line)
        for words in ("300.00 µs", "1.50 (1.50 to 1.50)", "0.50 (0.50 to 0.50)"):
            self.assertIn(words, row)

    def test_under_tls_the_library_alone_has_a_row(self):
        rounds = [{"idle tls": {"pifleet": idle(15000), "mosquitto": idle(20000),
                                "bare": idle(12000)},
                   "idle ws": {"pifleet": idle(5000), "mosquitto": idle(10000)}}]
        lines = secured_report.tables(rounds)
        row = next(line for line in lines if "pifleet, tls" in line)
        for words in ("1.25 (1.25 to 1.25)", "0.75 (0.75 to 0.75)"):
            self.assertIn(words, row)
        self.assertEqual(sum("bare, tls" in line for line in lines), 1)
        self.assertFalse(any("bare, ws" in line for line in lines))

    def test_only_what_is_asked_for_memory_is_lean(self):
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "bench").mkdir()
            program = Path(directory, "bench", "bench-tls-connack")
            program.write_text("")
            program.chmod(0o700)
            for words in ((), ("lean",)):
                command = secured.bare_peer(Path(directory), IDENTITY, *words).command(1, directory)
                self.assertEqual(command[1:], ["1", "/c.pem", "/k.pem", *words])

    def test_memory_is_that_of_each_connection(self):
        rounds = [{"idle ws": {"pifleet": idle(5000), "mosquitto": idle(10000)}}]
        row = next(line for line in secured_report.tables(rounds) if "pifleet, ws" in line)
        for words in ("4800 B", "5000 B", "0.50 (0.50 to 0.50)"):
            self.assertIn(words, row)


class Rounds(unittest.TestCase):
    def test_both_kinds_of_handshake_are_asked_of_every_server(self):
        bench = FakeBench()
        secured.measure_handshakes(bench, peers("pifleet", "bare"), 1)
        self.assertEqual(bench.asked, [("handshakes", name, how) for how in ("full", "resumed")
                                       for name in ("bare", "pifleet")])

    def test_mosquitto_holds_fewer_websockets(self):
        bench = FakeBench()
        secured.measure_idle(bench, lambda kind: peers("pifleet", "mosquitto"), 0)
        self.assertIn(("idle", "mosquitto", "wss", secured.FEW_CONNECTIONS), bench.asked)
        self.assertIn(("idle", "mosquitto", "tls", broker.IDLE_CONNECTIONS), bench.asked)
        self.assertIn(("idle", "pifleet", "ws", broker.IDLE_CONNECTIONS), bench.asked)

    def test_nothing_starts_when_it_is_not_asked_for(self):
        options = types.SimpleNamespace(only={"rpc"})
        self.assertEqual(secured.measure_rounds(types.SimpleNamespace(options=options)), [])


if __name__ == "__main__":
    unittest.main()
