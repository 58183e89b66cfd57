"""Services through a bus of our own, with a systemd and a logind that control nothing."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pytest

dbus = pytest.importorskip("dbus", reason="python3-dbusmock is not installed")
pytest.importorskip("dbusmock", reason="python3-dbusmock is not installed")

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 30
CONTROL = "test.Control"
MOCK = "org.freedesktop.DBus.Mock"


def eventually(condition, seconds=START_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


# Everybody may do everything, and nothing is started on demand.
BUS_CONFIG = """<busconfig>
  <listen>{address}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Bus:
    """A message bus at an address that stays the same over its restarts."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="pifleet-bus-")
        self.path = pathlib.Path(self.directory.name) / "socket"
        self.address = f"unix:path={self.path}"
        self.config = pathlib.Path(self.directory.name) / "bus.conf"
        self.config.write_text(BUS_CONFIG.format(address=self.address))
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.mocks = {}
        self.daemon = self.connection = None
        self.start()

    def start(self):
        self.daemon = subprocess.Popen(["dbus-daemon", "--nofork", "--nopidfile",
                                        f"--config-file={self.config}"])
        eventually(self.path.exists)
        eventually(self._connect)

    def _connect(self):
        try:
            self.connection = dbus.bus.BusConnection(self.address)
        except dbus.exceptions.DBusException:
            return False
        self.connection.set_exit_on_disconnect(False)
        return True

    def run_mock(self, name, template, parameters=None):
        self.mocks[name] = subprocess.Popen(
            [sys.executable, "-m", "dbusmock", "--system", "--template", str(template),
             "--parameters", json.dumps(parameters or {}), "--logfile", str(self._log_of(name))],
            stdout=subprocess.DEVNULL, env={**os.environ, **self.environment})
        eventually(lambda: self.connection.name_has_owner(name))
        return self.connection

    def _log_of(self, name):
        return pathlib.Path(self.directory.name) / f"{name}.log"

    def run_systemd(self, units=()):
        self.run_mock("org.freedesktop.systemd1", HERE / "systemd_mock.py")
        for unit in units:
            self.add_unit(*unit)

    def run_logind(self, **parameters):
        self.run_mock("org.freedesktop.login1", "logind", parameters)

    def _control(self, name, path, interface):
        return dbus.Interface(self.connection.get_object(name, path), interface)

    def systemd(self):
        return self._control("org.freedesktop.systemd1", "/org/freedesktop/systemd1", CONTROL)

    def logind_calls(self, method):
        return self._control("org.freedesktop.login1", "/org/freedesktop/login1",
                             MOCK).GetMethodCalls(method)

    def logind_called_at(self, method):
        """Seconds since 1970, with fractions, which GetMethodCalls has not."""
        lines = self._log_of("org.freedesktop.login1").read_text().splitlines()
        return [float(words[0]) for words in map(str.split, lines) if words[1] == method]

    def add_unit(self, name, active="active", state="running", load="loaded", broken=False):
        self.systemd().AddUnit(name, load, active, state, broken)

    def behave(self, name, behaviour):
        self.systemd().Behave(name, behaviour)

    def asked(self):
        return [str(what) for what in self.systemd().Asked()]

    def kill(self):
        """The bus, and then all who were on it."""
        for process in [self.daemon, *self.mocks.values()]:
            process.kill()
            process.wait()
        self.mocks = {}
        self.path.unlink(missing_ok=True)

    def close(self):
        self.kill()
        self.directory.cleanup()


@pytest.fixture
def bus():
    bus = Bus()
    yield bus
    bus.close()


UNITS = [("camera.service",), ("scanner.service", "inactive", "dead"),
         ("nginx.service",), ("backup.timer", "active", "waiting")]


@pytest.fixture
def start(start_agent, bus):
    def start(services=("*.service",), **config):
        return start_agent(config={"monitor": {"services": list(services)}, **config},
                           environment=bus.environment)
    return start


@pytest.fixture
def agent(start, bus):
    bus.run_systemd(UNITS)
    return start()


def by_name(reply):
    assert reply["success"], reply
    assert reply["type"] == "list_devices"
    return {device["name"]: device for device in reply["devices"]}


def refused(reply, code):
    assert (reply["success"], reply["type"], reply.get("code")) == (False, "error", code), reply
    return reply["error"]


# --- list_devices ---------------------------------------------------------------------------

def test_the_list_shows_services_that_match_with_their_numbers(agent):
    devices = by_name(agent.call({"command": "list_devices"}))
    assert list(devices) == ["camera.service", "nginx.service", "scanner.service"]
    assert devices["camera.service"] == {
        "name": "camera.service", "description": "The unit camera.service", "active": "active",
        "state": "running", "since": 1_700_000_000.25, "memory": 12345678, "cpu": 2.5,
        "restarts": 3}
    assert devices["scanner.service"] == {
        "name": "scanner.service", "description": "The unit scanner.service",
        "active": "inactive", "state": "dead", "since": None, "memory": None, "cpu": None,
        "restarts": 3}


def test_a_unit_that_is_only_referred_to_is_not_in_the_list(agent, bus):
    bus.add_unit("ghost.service", "inactive", "dead", load="not-found")
    assert "ghost.service" not in by_name(agent.call({"command": "list_devices"}))


def test_a_unit_that_tells_nothing_does_not_spoil_the_list(agent, bus):
    bus.add_unit("broken.service", broken=True)
    devices = by_name(agent.call({"command": "list_devices"}))
    assert devices["broken.service"]["active"] == "active"
    assert devices["broken.service"]["memory"] is None
    assert devices["broken.service"]["since"] is None
    assert devices["camera.service"]["memory"] == 12345678


def test_units_that_are_named_outright_are_asked_for_by_name_and_listed_once(start, bus):
    bus.run_systemd(UNITS)
    agent = start(services=["scanner.service", "backup.timer", "c*.service", "camera.service",
                            "missing.service", "no name"])
    devices = by_name(agent.call({"command": "list_devices"}))
    assert list(devices) == ["backup.timer", "camera.service", "scanner.service"]
    assert devices["backup.timer"]["memory"] is None
    assert sorted(bus.asked()) == ["ListUnitsByNames", "ListUnitsByPatterns"]


def test_an_empty_list_of_patterns_lists_nothing(start, bus):
    bus.run_systemd(UNITS)
    agent = start(services=[])
    assert by_name(agent.call({"command": "list_devices"})) == {}
    refused(agent.call({"command": "stop_device", "device": "camera.service"}), "FORBIDDEN")
    assert bus.asked() == []


def test_two_hundred_units_and_many_who_ask_share_the_work(agent, bus):
    for number in range(200):
        bus.add_unit(f"worker@{number}.service")
    with agent.connect() as client:
        client.send(b"".join(b'{"command":"list_devices","id":%d}\n' % number
                             for number in range(40)))
        replies = [client.receive() for _ in range(40)]
    assert sorted(reply["id"] for reply in replies) == list(range(40))
    assert all(len(by_name(reply)) == 203 for reply in replies)
    assert all(device["memory"] for name, device in by_name(replies[-1]).items()
               if name.startswith("worker"))
    # The first is answered by one listing; who came meanwhile, together by the next.
    assert bus.asked().count("ListUnitsByPatterns") <= 3


# --- start_device, stop_device, restart_device ----------------------------------------------

def test_a_service_is_stopped_started_and_restarted_and_its_state_told(agent, bus):
    before = time.time()
    reply = agent.call({"command": "stop_device", "device": "camera.service"})
    assert reply["success"], reply
    assert reply["type"] == "stop_device"
    assert (reply["device"], reply["name"]) == ("camera.service", "camera.service")
    assert (reply["active"], reply["state"], reply["result"]) == ("inactive", "dead", "done")
    assert before - 1 <= reply["since"] <= time.time() + 1
    assert reply["memory"] is None
    reply = agent.call({"command": "start_device", "device": "camera.service"})
    assert (reply["active"], reply["state"]) == ("active", "running")
    reply = agent.call({"command": "restart_device", "device": "camera.service"})
    assert (reply["active"], reply["restarts"]) == ("active", 3)
    jobs = [what for what in bus.asked() if "Unit:" in what]
    assert jobs == ["StopUnit:replace camera.service", "StartUnit:replace camera.service",
                    "RestartUnit:replace camera.service"]


def test_a_job_that_ends_before_its_number_is_known_counts(agent, bus):
    bus.behave("camera.service", "early")
    assert agent.call({"command": "stop_device", "device": "camera.service"})["state"] == "dead"


def test_a_job_that_fails_says_so_with_the_state_after(agent, bus):
    bus.behave("scanner.service", "fails")
    reply = agent.call({"command": "start_device", "device": "scanner.service"})
    assert "journalctl -u scanner.service" in refused(reply, "HARDWARE")
    assert (reply["active"], reply["state"], reply["result"]) == ("failed", "failed", "failed")


@pytest.mark.parametrize("device, code", [
    ("", "BAD_VALUE"), ("camera", "BAD_VALUE"), ("../camera.service", "BAD_VALUE"),
    ("camera.service\n", "BAD_VALUE"), ("a b.service", "BAD_VALUE"), ("*.service", "BAD_VALUE"),
    ("caméra.service", "BAD_VALUE"), ("getty@.service", "BAD_VALUE"), (".service", "BAD_VALUE"),
    ("x" * 300 + ".service", "BAD_VALUE"), ("backup.timer", "FORBIDDEN"),
    ("dbus.socket", "FORBIDDEN"), (17, "BAD_PARAMS"), (None, "BAD_PARAMS")])
def test_what_is_no_unit_of_ours_never_reaches_systemd(agent, bus, device, code):
    for command in ("start_device", "stop_device", "restart_device"):
        refused(agent.call({"command": command, "device": device}), code)
    assert bus.asked() == []


def test_a_unit_that_does_not_exist_is_told_with_those_that_are_near(agent):
    reply = agent.call({"command": "restart_device", "device": "camra.service"})
    assert "camera.service" in refused(reply, "NO_DEVICE")
    assert "camera.service" in reply["near"]


@pytest.mark.parametrize("device, word", [
    ("debug-shell.service", "root shell"), ("systemd-reboot.service", "restart_pi"),
    ("pifleet-agent.service", "the agent itself")])
def test_some_units_are_nobodys_even_if_they_are_configured(start, bus, device, word):
    bus.run_systemd(UNITS)
    agent = start(services=[device])
    for command in ("start_device", "stop_device", "restart_device"):
        assert word in refused(agent.call({"command": command, "device": device}), "FORBIDDEN")
    assert bus.asked() == []


def test_a_refusal_of_polkit_says_what_to_do(agent, bus):
    bus.behave("camera.service", "denied")
    reply = agent.call({"command": "stop_device", "device": "camera.service"})
    assert "50-pifleet.rules" in refused(reply, "FORBIDDEN")


def test_a_masked_unit_is_told_as_such(agent, bus):
    bus.behave("camera.service", "masked")
    reply = agent.call({"command": "start_device", "device": "camera.service"})
    assert "masked" in refused(reply, "FORBIDDEN")


def test_roles(start, bus):
    bus.run_systemd(UNITS)
    bus.run_logind()
    agent = start(access={"mode": "open", "open_role": "viewer"})
    assert by_name(agent.call({"command": "list_devices"}))
    for command in ("start_device", "stop_device", "restart_device"):
        refused(agent.call({"command": command, "device": "camera.service"}), "FORBIDDEN")
    agent = start(access={"mode": "open", "open_role": "deployer"})
    assert agent.call({"command": "stop_device", "device": "camera.service"})["success"]
    refused(agent.call({"command": "restart_pi"}), "FORBIDDEN")
    assert "stop_device outcome=ok" in agent.stderr()


# --- a bus that is not there, or goes away ---------------------------------------------------

def test_without_a_bus_the_commands_say_so_and_the_rest_works(start_agent):
    agent = start_agent(environment={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"})
    reply = agent.call({"command": "list_devices"})
    assert "is systemd running" in refused(reply, "UNSUPPORTED")
    assert reply["retry_ms"] > 0
    refused(agent.call({"command": "start_device", "device": "camera.service"}), "UNSUPPORTED")
    refused(agent.call({"command": "restart_pi"}), "UNSUPPORTED")
    assert agent.call({"command": "ping"})["success"]


def test_a_bus_without_systemd_is_told_like_one_that_is_not_there(start):
    refused(start().call({"command": "list_devices"}), "UNSUPPORTED")


def test_a_bus_that_goes_away_fails_what_is_under_way_and_is_found_again(agent, bus):
    bus.behave("camera.service", "silent")
    bus.behave("nginx.service", "hangs")
    with agent.connect() as client:
        client.send_request("stop_device", device="camera.service", id="no answer")
        client.send_request("stop_device", device="nginx.service", id="no end")
        eventually(lambda: len([what for what in bus.asked() if "StopUnit" in what]) == 2)
        bus.kill()
        replies = {reply["id"]: reply for reply in (client.receive(), client.receive())}
        refused(replies["no answer"], "NOT_READY")
        refused(replies["no end"], "NOT_READY")
        reply = client.call("list_devices")
        assert reply["code"] in ("NOT_READY", "UNSUPPORTED")
    bus.start()
    bus.run_systemd(UNITS)
    eventually(lambda: agent.call({"command": "list_devices"})["success"])
    assert agent.call({"command": "stop_device", "device": "camera.service"})["state"] == "dead"


def test_a_systemd_that_hangs_costs_its_callers_their_deadline_and_nobody_else(agent, bus):
    bus.behave("ListUnitsByPatterns", "silent")
    with agent.connect() as client:
        client.send_request("list_devices", id="list")
        start = time.monotonic()
        assert agent.call({"command": "ping"})["success"]
        assert time.monotonic() - start < 2
        refused(client.receive(), "EXPIRED")


def test_a_stop_of_the_agent_answers_what_is_under_way(agent, bus):
    bus.behave("camera.service", "hangs")
    bus.behave("ListUnitsByPatterns", "silent")
    with agent.connect() as client:
        client.send_request("stop_device", device="camera.service", id="stop")
        client.send_request("list_devices", id="list")
        eventually(lambda: len(bus.asked()) == 2)
        agent.process.terminate()
        replies = {reply["id"]: reply for reply in (client.receive(), client.receive())}
    refused(replies["stop"], "NOT_READY")
    refused(replies["list"], "NOT_READY")
    assert agent.wait() == 0


# --- restart_pi -----------------------------------------------------------------------------

def test_restart_pi_replies_first_and_reboots_then(start, bus):
    bus.run_logind()
    agent = start()
    reply = agent.call({"command": "restart_pi", "delay": 1.5})
    assert reply["success"], reply
    assert (reply["type"], reply["accepted"], reply["delay"]) == ("restart_pi", True, 1.5)
    eventually(lambda: bus.logind_calls("Reboot"))
    assert bus.logind_called_at("Reboot")[0] > reply["timestamp"] + 1.4
    calls = bus.logind_calls("Reboot")
    assert len(calls) == 1
    assert list(calls[0][1]) == [False], "nobody is there to be asked for a password"
    eventually(lambda: "reboot stage=requested" in agent.stderr())


def test_restart_pi_without_delay_still_lets_its_reply_out_first(start, bus):
    bus.run_logind()
    reply = start().call({"command": "restart_pi"})
    assert reply["accepted"]
    eventually(lambda: bus.logind_calls("Reboot"))
    assert bus.logind_called_at("Reboot")[0] > reply["timestamp"] + 0.4


@pytest.mark.parametrize("answer, code", [("no", "FORBIDDEN"), ("challenge", "FORBIDDEN"),
                                          ("na", "UNSUPPORTED"), ("odd", "FORBIDDEN")])
def test_a_reboot_that_logind_would_refuse_is_refused_at_once(start, bus, answer, code):
    bus.run_logind(CanReboot=answer)
    refused(start().call({"command": "restart_pi"}), code)
    assert bus.logind_calls("Reboot") == []


@pytest.mark.parametrize("delay", [-1, 86401, "5", True])
def test_a_delay_is_seconds_within_a_day(start, delay):
    reply = start().call({"command": "restart_pi", "delay": delay})
    assert reply["code"] in ("BAD_PARAMS", "BAD_VALUE"), reply


def test_a_reboot_that_is_scheduled_is_forgotten_when_the_agent_stops(start, bus):
    bus.run_logind()
    agent = start()
    assert agent.call({"command": "restart_pi", "delay": 3600})["accepted"]
    assert agent.stop() == 0
    assert "reboot stage=forgotten" in agent.stderr()
    assert bus.logind_calls("Reboot") == []


def test_a_reboot_that_cannot_be_asked_for_any_more_is_logged(start, bus):
    bus.run_logind()
    agent = start()
    assert agent.call({"command": "restart_pi", "delay": 3})["accepted"]
    bus.kill()
    eventually(lambda: "reboot stage=failed" in agent.stderr())
