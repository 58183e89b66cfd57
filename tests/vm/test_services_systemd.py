"""Services of the real systemd, and what polkit lets the agent's user do."""

import pathlib
import shutil
import subprocess
import time

import pytest

pytestmark = pytest.mark.systemd

UNIT = "pifleet-test.service"
TRANSIENT = "pifleet-test-transient.service"
RUNTIME_UNITS = pathlib.Path("/run/systemd/system")
RULES = pathlib.Path(__file__).resolve().parents[2] / "packaging/polkit/50-pifleet.rules"


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], check=True, text=True,
                          capture_output=True).stdout.strip()


@pytest.fixture
def unit():
    """Makes services; they are gone at the end."""
    made = []

    def make(name, **settings):
        lines = "".join(f"{key}={value}\n" for key, value in settings.items())
        (RUNTIME_UNITS / name).write_text(f"[Unit]\nDescription=Test of pifleet\n"
                                          f"[Service]\n{lines}")
        made.append(name)
        systemctl("daemon-reload")
        return name

    yield make
    for name in made:
        subprocess.run(["systemctl", "stop", name], check=False, capture_output=True)
        (RUNTIME_UNITS / name).unlink()
    systemctl("daemon-reload")


@pytest.fixture
def agent(start_agent):
    return start_agent(config={
        "gpio": {"backend": "simulated"},
        "monitor": {"services": ["pifleet-test*.service", "systemd-*.service", UNIT]}})


def listed(agent):
    reply = agent.call({"command": "list_devices"})
    assert reply["success"], reply
    return {device["name"]: device for device in reply["devices"]}


def test_a_service_is_started_restarted_and_stopped(agent, unit):
    unit(UNIT, ExecStart="/bin/sleep 600")
    # Nothing refers to it, so systemd has not loaded it; it is named outright.
    assert listed(agent)[UNIT]["active"] == "inactive"
    before = time.time()
    reply = agent.call({"command": "start_device", "device": UNIT})
    assert reply["success"], reply
    assert (reply["active"], reply["state"], reply["result"]) == ("active", "running", "done")
    assert reply["description"] == "Test of pifleet"
    assert before - 1 <= reply["since"] <= time.time() + 1
    assert systemctl("is-active", UNIT) == "active"
    pid = systemctl("show", "--value", "-p", "MainPID", UNIT)

    reply = agent.call({"command": "restart_device", "device": UNIT})
    assert (reply["active"], reply["state"]) == ("active", "running")
    assert systemctl("show", "--value", "-p", "MainPID", UNIT) != pid
    assert listed(agent)[UNIT]["state"] == "running"

    reply = agent.call({"command": "stop_device", "device": UNIT})
    assert (reply["active"], reply["state"]) == ("inactive", "dead")
    assert systemctl("show", "--value", "-p", "ActiveState", UNIT) == "inactive"


def test_the_list_shows_what_systemd_counts(agent):
    subprocess.run(["systemd-run", f"--unit={TRANSIENT}", "-p", "MemoryAccounting=yes",
                    "-p", "CPUAccounting=yes", "/bin/sleep", "600"], check=True,
                   capture_output=True)
    devices = listed(agent)
    device = devices[TRANSIENT]
    assert (device["active"], device["state"], device["restarts"]) == ("active", "running", 0)
    assert 0 < device["memory"] < 64 << 20
    assert 0 <= device["cpu"] < 60
    assert devices["systemd-journald.service"]["active"] == "active"
    assert all(name.startswith(("systemd-", "pifleet-test")) for name in devices)

    # It is gone with its end: there is nothing to be asked about it then.
    reply = agent.call({"command": "stop_device", "device": TRANSIENT})
    assert (reply["success"], reply["active"]) == (True, "inactive"), reply
    assert TRANSIENT not in listed(agent)


def test_a_service_that_cannot_start_is_told_with_its_state(agent, unit):
    unit(UNIT, Type="oneshot", ExecStart="/bin/false")
    reply = agent.call({"command": "start_device", "device": UNIT})
    assert (reply["success"], reply["code"], reply["result"]) == (False, "HARDWARE", "failed")
    assert (reply["active"], reply["state"]) == ("failed", "failed")


def test_a_service_that_is_not_there_is_told_with_those_that_are_near(agent, unit):
    unit(UNIT, ExecStart="/bin/sleep 600")
    reply = agent.call({"command": "start_device", "device": "pifleet-testt.service"})
    assert reply["code"] == "NO_DEVICE", reply
    assert UNIT in reply["near"]


def test_a_masked_service_is_not_started(agent):
    name = "pifleet-test-masked.service"
    (RUNTIME_UNITS / name).symlink_to("/dev/null")
    systemctl("daemon-reload")
    try:
        reply = agent.call({"command": "start_device", "device": name})
        assert reply["code"] == "FORBIDDEN", reply
        assert "masked" in reply["error"]
    finally:
        (RUNTIME_UNITS / name).unlink()
        systemctl("daemon-reload")


def as_user(user, member, *arguments):
    return subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "busctl", "call",
         "--allow-interactive-authorization=no", "org.freedesktop.systemd1",
         "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", member, *arguments],
        text=True, capture_output=True, check=False)


@pytest.fixture
def rules():
    """The rule as an installation puts it there, and the user it names."""
    if not shutil.which("pkaction"):
        pytest.skip("polkitd is not installed")
    for user in ("pifleet", "pifleet-other"):
        if subprocess.run(["id", user], check=False, capture_output=True).returncode != 0:
            subprocess.run(["useradd", "--system", "--user-group", user], check=True,
                           capture_output=True)
    place = pathlib.Path("/etc/polkit-1/rules.d") / RULES.name
    place.write_bytes(RULES.read_bytes())
    place.chmod(0o644)
    systemctl("restart", "polkit.service")
    yield
    place.unlink()


def test_the_rule_lets_its_user_control_services_and_nobody_else(rules, unit):
    unit(UNIT, ExecStart="/bin/sleep 600")
    refused = as_user("pifleet-other", "StartUnit", "ss", UNIT, "replace")
    assert refused.returncode != 0
    allowed = as_user("pifleet", "StartUnit", "ss", UNIT, "replace")
    assert allowed.returncode == 0, allowed.stderr
    # What it does not need, it may not.
    assert as_user("pifleet", "Reload").returncode != 0
    assert as_user("pifleet", "SetUnitProperties", "sba(sv)", UNIT, "true", "1", "CPUWeight", "t",
                   "50").returncode != 0
