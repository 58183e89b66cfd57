"""Modules that mean harm: bombs, leaks, and what is tried against the agent and its neighbours.

src/sandbox/test-walls.c tries each wall by itself; these are modules in a running agent."""

import os
import signal

import pytest

from handler_modules import echo, must_deploy, one_command, stats, until

LIMITS = {"handlers": {"timeout": 3,
                       "modules": {"camera_handlers": {"memory": 100 << 20, "tasks": 40}}}}

FINE = one_command("return {'fine': 1}", name="fine")


@pytest.fixture
def agent(start_agent):
    """With a good module as a witness, which must answer afterwards and was never touched."""
    agent = start_agent(config=LIMITS)
    with agent.connect() as client:
        must_deploy(client, echo("witness", name="witness"), "witness.py")
        yield agent
        assert client.call("witness")["version"] == "witness"
        assert stats(client, "witness.py")["restarts"] == 0


@pytest.fixture
def client(agent):
    with agent.connect() as connected:
        yield connected


def must_recover(client):
    """The module serves again, with nothing left of what it did."""
    until(lambda: client.call("fine").get("fine") == 1, client, seconds=60)
    until(lambda: stats(client).get("tasks") == 1, client, seconds=60)


@pytest.mark.parametrize("body", [
    "while True:\n    children.append(subprocess.Popen(['sleep', '600']))",
    "while True:\n    children.append(subprocess.Popen(['cat'], stdin=subprocess.PIPE))",
    "while True:\n    threading.Thread(target=time.sleep, args=(600,)).start()",
    "while True:\n    hoard.append(bytearray(4 << 20))",
    "while True:\n    hoard.append(bytearray(os.urandom(64)) * 5000)\n    time.sleep(0.001)",
], ids=["children", "pipes", "threads", "memory", "creeping"])
def test_a_bomb_ends_its_module_and_nobody_else(client, body):
    must_deploy(client, one_command(
        body, imports="import os\nimport subprocess\nimport threading\nimport time\n\n"
                      "children = []\nhoard = []") + FINE)
    reply = client.call("run_it")
    assert not reply["success"], reply
    # It may have been an exception, which leaves what was started.
    client.call("reload_handler", filename="camera_handlers.py")
    must_recover(client)


def test_open_files_are_bounded_and_a_leak_is_the_modules_own(client):
    must_deploy(client, one_command(
        "while True:\n    hoard.append(open('/dev/null'))", imports="hoard = []") +
        one_command("return {'n': len(hoard)}", name="count") + FINE)
    reply = client.call("run_it")
    assert reply["exception"] == "OSError" and "Too many open files" in reply["error"]
    assert 8 < client.call("count")["n"] <= 64


def test_a_pile_of_ended_children_is_cleared_away(client):
    must_deploy(client, one_command(
        "hoard.extend(subprocess.Popen(['true']) for _ in range(20))\nreturn {}",
        imports="import subprocess\n\nhoard = []") + FINE)
    assert client.call("run_it")["success"]
    assert client.call("reload_handler", filename="camera_handlers.py")["success"]
    must_recover(client)


def test_temporary_files_have_an_end(client):
    must_deploy(client, one_command(
        "with open('/tmp/filler', 'wb') as filler:\n    for _ in range(1 << 12):\n"
        "        filler.write(bytes(1 << 20))\nreturn {}") + FINE)
    if not stats(client)["walls"]["mount_view"]:
        pytest.skip("without a view of its own, its /tmp is everybody's")
    reply = client.call("run_it")
    assert reply["exception"] == "OSError", reply
    assert client.call("fine")["fine"] == 1


def test_a_host_that_is_killed_in_a_call_is_told_and_comes_back(agent, client):
    must_deploy(client, one_command("time.sleep(600)", imports="import time") + FINE)
    pid = stats(client)["pid"]
    with agent.connect() as other:
        other.send_request("run_it")
        until(lambda: stats(client)["commands"]["run_it"]["calls"] == 0, client)
        client.call("ping")
        os.kill(pid, signal.SIGKILL)
        reply = other.receive()
        assert not reply["success"], reply
    must_recover(client)


ATTEMPTS = '''"""Tries to get at the agent."""

import os
import signal
import socket


def _config(at):
    return open(at["config"]).read()


def _journal(at):
    return open(at["state"] + "/handler-store/journal", "rb").read()


def _own_source(at):
    return open(at["state"] + "/handlers/camera_handlers.py", "a").write("#")


def _neighbour(at):
    return open(at["state"] + "/handlers/witness.py", "a").write("#")


def _agent_memory(at):
    return open("/proc/%d/environ" % at["agent"]).read()


def _signal_agent(at):
    os.kill(at["agent"], signal.SIGCONT)


def _signal_neighbour(at):
    os.kill(at["neighbour"], signal.SIGCONT)


def _local_socket(at):
    socket.socket(socket.AF_UNIX).connect(at["socket"])


def _network(at):
    socket.create_connection(("127.0.0.1", at["port"]), 1)


def _chip(at):
    return os.open("/dev/gpiochip0", os.O_RDWR)


def _system(at):
    return open("/usr/lib/python3/dist-packages/sitecustomize_of_theirs.py", "w")


def handle_try_all(request):
    """Which attempts came through."""
    through = []
    for name, attempt in sorted(globals().items()):
        if name.startswith("_") and not name.startswith("__"):
            try:
                attempt(request)
            except OSError:
                continue
            through.append(name)
    return {"through": through}
'''


def test_a_module_cannot_get_at_the_agent_or_its_neighbour(agent, client):
    must_deploy(client, ATTEMPTS)
    walls = stats(client)["walls"]
    if not walls["mount_view"] or not walls["pid_namespace"]:
        pytest.skip("this kernel gives a plain user no namespaces")
    reply = client.call("try_all", config=str(agent.directory / "agent.yaml"),
                        state=str(agent.state), socket=str(agent.socket), port=agent.port,
                        agent=agent.process.pid, neighbour=stats(client, "witness.py")["pid"])
    assert reply["through"] == [], reply


def test_a_module_that_fills_its_folder_is_stopped_and_told_why(start_agent):
    agent = start_agent(config={"handlers": {"storage": 1 << 20}})
    fill = ("import os\n"
            "size = request['size']\n"
            "with open('filler', 'wb') as file:\n    file.write(os.urandom(size))\n"
            "return {'written': size}")
    with agent.connect() as client:
        must_deploy(client, one_command(fill))
        assert client.call("run_it", size=500_000)["written"] == 500_000
        pid = stats(client)["pid"]
        until(lambda: stats(client)["storage"] >= 500_000, client)
        assert stats(client)["pid"] == pid and stats(client)["restarts"] == 0
        reply = client.call("run_it", size=2_000_000)
        # A look at its folder may come between what it writes and what it says.
        assert reply.get("written") == 2_000_000 or "handlers.storage" in reply["error"], reply
        until(lambda: stats(client)["restarts"] > 0, client)
        assert "handlers.storage" in str(client.call("handler_logs", filename="camera_handlers.py"))
        # It is started again, and can put that right.
        until(lambda: client.call("run_it", size=1)["success"], client)
        until(lambda: 0 < stats(client).get("storage", 0) < 1 << 20, client)
