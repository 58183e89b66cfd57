"""An agent without any power, as on a developer's machine: modules work behind the walls that are
left, and which those are is told."""

import os
import shutil

import pytest

from handler_modules import deploy, echo, must_deploy, one_command, rejected, stats, until

NOBODY = 65534
ALWAYS = ("no_new_privs", "capabilities", "seccomp", "rlimits")


@pytest.fixture(name="client")
def fixture_client(start_agent):
    """Of an agent that runs as nobody; where the tests have no power themselves, as they do."""
    if os.geteuid() != 0:
        agent = start_agent()
    elif shutil.which("setpriv"):
        agent = start_agent(owner=NOBODY, launcher=[
            "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
            "--bounding-set=-all"])
    else:
        pytest.skip("util-linux is not installed")
    agent.await_handlers()
    with agent.connect() as client:
        yield client


def test_modules_are_deployed_called_and_rolled_back(client):
    must_deploy(client, echo("1"))
    must_deploy(client, echo("2"))
    assert client.call("answer")["version"] == "2"
    assert client.call("rollback_handler", filename="camera_handlers.py")["success"]
    assert client.call("answer")["version"] == "1"
    assert "os.system(" in rejected(deploy(client, "import os\nos.system('x')\n"), "security")


def test_the_walls_that_stand_are_named_and_the_others_too(client):
    must_deploy(client, echo("1"))
    walls = stats(client)["walls"]
    assert all(walls[name] for name in ALWAYS), walls
    assert walls["uid"] is False
    assert stats(client)["memory_cap"] in ("cgroup", "rlimit", "poll")


def test_a_runaway_module_is_stopped_without_control_groups(client):
    must_deploy(client, one_command(
        "while True:\n    children.append(subprocess.Popen(['sleep', '600']))",
        imports="import subprocess\n\nchildren = []") +
        one_command("return {'fine': 1}", name="fine"))
    assert not client.call("run_it")["success"]
    client.call("reload_handler", filename="camera_handlers.py")
    until(lambda: client.call("fine").get("fine") == 1, client, seconds=60)
    until(lambda: stats(client).get("tasks") == 1, client, seconds=60)
