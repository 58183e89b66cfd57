"""Deployments that meet one another, their clients and what is in their way."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from agent_process import BUILD
from handler_modules import (deploy, echo, must_deploy, one_command, rejected, stats, until)


@pytest.fixture
def client(agent):
    with agent.connect() as connected:
        yield connected


def send_update(connection, code, filename="camera_handlers.py"):
    connection.send_request("update_handler", filename=filename, code=code)


def test_two_deployments_of_one_module_come_one_after_the_other(agent, client):
    others = [agent.connect() for _ in range(4)]
    for number, other in enumerate(others):
        send_update(other, echo(str(number)))
    assert all(other.receive()["success"] for other in others)
    assert client.call("answer")["version"] == "3"
    log = client.call("update_log")["entries"]
    assert [one["result"] for one in log] == ["updated"] * 4
    assert [one["seq"] for one in log] == sorted(one["seq"] for one in log)
    for other in others:
        other.close()


def test_a_deployment_during_a_rollback_comes_after_it(agent, client):
    must_deploy(client, echo("1"))
    must_deploy(client, echo("2"))
    with agent.connect() as other:
        other.call("ping")  # accepted: before, what it sends may be read after what others send later
        other.send_request("rollback_handler", filename="camera_handlers.py")
        client.call("ping")
        send_update(client, echo("3"))
        assert other.receive()["success"] and client.receive()["success"]
    assert client.call("answer")["version"] == "3"


def test_fifty_modules_at_once(agent, client):
    def one(number):
        with agent.connect() as other:
            reply = deploy(other, echo("v", name=f"answer_{number}"), f"module_{number}.py")
            assert reply["success"], reply
            return other.call(f"answer_{number}")["version"]

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert list(pool.map(one, range(50))) == ["v"] * 50
    status = client.call("get_status")
    assert status["handlers_loaded"] == 50 and status["handlers"]["modules"] == 50
    assert len(client.call("handler_stats")["handlers"]) == 50


def test_a_client_that_drops_its_connection_does_not_matter(agent, client):
    partial = agent.connect()
    whole = json.dumps({"command": "update_handler", "filename": "camera_handlers.py",
                        "code": echo("half")}).encode()
    partial.send(whole[:len(whole) // 2])
    partial.reset()
    gone = agent.connect()
    send_update(gone, echo("sent"))
    gone.reset()
    until(lambda: client.call("answer").get("version") == "sent", client)
    assert [one["result"] for one in client.call("update_log")["entries"]] == ["updated"]


def test_calls_are_answered_all_the_time_while_versions_change(agent, client):
    must_deploy(client, echo("0"))
    seen = []
    with agent.connect() as other:
        for version in range(1, 6):
            send_update(other, echo(str(version)))
            while not seen or seen[-1] != str(version):
                reply = client.call("answer")
                assert reply["success"], reply
                seen.append(reply["version"])
            assert other.receive()["success"]
    assert sorted(seen) == seen and set(seen) == set("012345")


def test_a_call_ends_on_the_host_it_began_on(agent, client):
    slow = "import time\n" + echo("1").replace("    calls[", "    time.sleep(1)\n    calls[")
    must_deploy(client, slow)
    with agent.connect() as other:
        other.send_request("answer")
        until(lambda: stats(client)["waiting"] == 0, client)
        must_deploy(client, echo("2"))
        assert client.call("answer")["version"] == "2"
        assert other.receive()["version"] == "1"


def test_a_new_version_ends_what_the_old_one_started(client):
    must_deploy(client, one_command(
        "children.append(subprocess.Popen(['sleep', '600']))\nreturn {}", name="record",
        imports="import subprocess\n\nchildren = []"))
    client.call("record")
    client.call("record")
    assert must_deploy(client, echo("2"))["children_killed"] == 2


def test_a_module_may_stand_in_for_a_built_in_and_gives_it_back(client):
    must_deploy(client, one_command("return {'mine': True}", name="led_on"))
    assert client.call("led_on", pin=17)["mine"] is True
    must_deploy(client, echo("2"))
    assert client.call("led_on", pin=17)["state"] == "on"
    assert not client.call("rollback_handler", filename="nothing_here.py")["success"]
    client.call("rollback_handler", filename="camera_handlers.py")
    assert client.call("led_on", pin=17)["mine"] is True
    client.call("remove_handler", filename="camera_handlers.py")
    assert client.call("led_on", pin=17)["state"] == "on"


def test_two_modules_cannot_have_one_command(client):
    must_deploy(client, echo("1"), "first.py")
    sentence = rejected(deploy(client, echo("2"), "second.py"), "protected")
    assert sentence == "The command answer belongs to handlers/first.py already"
    assert client.call("answer")["version"] == "1"
    assert client.call("remove_handler", filename="first.py")["success"]
    must_deploy(client, echo("2"), "second.py")
    assert client.call("answer")["version"] == "2"


def test_a_command_that_a_new_version_lacks_is_gone(client):
    must_deploy(client, one_command("return {}", name="one") +
                one_command("return {}", name="two"))
    assert client.call("two")["success"]
    must_deploy(client, one_command("return {'new': 1}", name="one"))
    assert client.call("one")["new"] == 1
    assert client.call("two")["code"] == "NO_METHOD"


def test_a_dry_run_changes_nothing(client):
    reply = must_deploy(client, echo("1"), dry_run=True)
    assert reply["type"] == "handler_checked"
    assert reply["reload"]["commands"] == ["answer"]
    assert client.call("answer")["code"] == "NO_METHOD"
    assert client.call("get_handler", filename="camera_handlers.py")["code"] == "NO_DEVICE"
    rejected(deploy(client, "1 +", dry_run=True), "syntax")
    assert [one["result"] for one in client.call("update_log")["entries"]] == [
        "checked", "rejected"]


def test_a_self_test_is_the_last_word(client):
    bad = echo("1") + "\n\ndef self_test():\n    return 'no camera at /dev/video0'\n"
    assert rejected(deploy(client, bad), "runtime") == \
        "Self-test failed: no camera at /dev/video0"
    must_deploy(client, echo("1") + "\n\ndef self_test():\n    return True\n")


def test_what_is_too_large_is_refused_for_that(client):
    assert "262144" in rejected(deploy(client, "#" * (256 * 1024 + 1)), "quota")
    assert "262144" in rejected(deploy(client, "x = 1\n" * 2_000_000), "quota")
    assert "262144" in rejected(deploy(client, "x = '" + "y" * (1 << 20) + "'"), "quota")
    must_deploy(client, echo("lines") + "\n" * 150_000)
    must_deploy(client, echo("long") + "#" * 200_000)
    assert client.call("answer")["version"] == "long"


def test_a_rollback_to_a_version_that_no_longer_fits_is_refused(agent, client):
    library = pathlib.Path("/usr/lib/python3/dist-packages/handler_test_library.py")
    if not os.access(library.parent, os.W_OK):
        pytest.skip("needs a library that can be taken away")
    library.write_text("VALUE = 1\n")
    try:
        must_deploy(client, "import handler_test_library\n" + echo("1"))
        must_deploy(client, echo("2"))
    finally:
        library.unlink()
    reply = client.call("rollback_handler", filename="camera_handlers.py")
    assert "handler_test_library" in rejected(reply, "dependency")
    assert client.call("answer")["version"] == "2"


def test_versions_are_listed_read_and_found_by_their_digest(client):
    first = must_deploy(client, echo("1"))["sha256"]
    must_deploy(client, echo("2"))
    must_deploy(client, echo("3"))
    listed = client.call("list_backups", filename="camera_handlers.py")["backups"]
    assert [one["filename"] for one in listed] == ["camera_handlers.py"] * 2
    assert listed[1]["sha256"] == first and listed[1]["size"] == len(echo("1"))
    got = client.call("get_handler", filename="camera_handlers.py")
    assert got["code"] == echo("3") and got["size"] == len(echo("3"))
    reply = client.call("rollback_handler", filename="camera_handlers.py", version=first[:12])
    assert reply["success"], reply
    assert client.call("answer")["version"] == "1"
    again = client.call("rollback_handler", filename="camera_handlers.py", version=first[:12])
    assert again["code"] == "BAD_VALUE"


def test_a_file_that_somebody_puts_there_passes_the_layers_too(agent, client):
    must_deploy(client, echo("1"))
    place = agent.state / "handlers" / "camera_handlers.py"
    place.write_text(echo("by hand"))
    reply = client.call("reload_handler", filename="camera_handlers.py")
    assert reply["success"] and reply["command_count"] == 1, reply
    assert client.call("answer")["version"] == "by hand"
    place.write_text("import os\nos.system('reboot')\n")
    assert "os.system(" in rejected(
        client.call("reload_handler", filename="camera_handlers.py"), "security")
    assert client.call("answer")["version"] == "by hand"


def test_a_reload_starts_the_module_anew(client):
    must_deploy(client, echo("1"))
    client.call("answer")
    assert client.call("answer")["count"] == 2
    reply = client.call("reload_handler", filename="camera_handlers.py")
    assert reply["type"] == "reload_handler" and reply["commands"] == ["answer"]
    assert client.call("answer")["count"] == 1
    assert client.call("reload_handler", filename="none.py")["code"] == "NO_DEVICE"


def test_only_a_deployer_deploys(start_agent):
    agent = start_agent(config={"access": {"open_role": "operator"}})
    with agent.connect() as client:
        assert deploy(client, echo("1"))["code"] == "FORBIDDEN"
        assert client.call("update_log")["entries"] == []


@pytest.mark.parametrize("how", ["missing", "garbage", "crash", "killed", "hang"])
def test_a_validator_that_does_not_do_its_work_lets_nothing_pass(start_agent, tmp_path, how):
    broken = tmp_path / "python3"
    tmp_path.chmod(0o755)
    if how != "missing":
        broken.write_text("#!/bin/sh\n" + {"garbage": "echo '{\"valid\": tru'",
                                           "crash": "kill -SEGV $$",
                                           "killed": "kill -KILL $$",
                                           "hang": "sleep 60"}[how] + "\n")
        broken.chmod(0o755)
    agent = start_agent(config={"handlers": {"python": str(broken)}})
    with agent.connect() as client:
        reply = deploy(client, echo("1"))
        assert reply["success"] is False, reply
        assert "nothing was changed" in reply["error"] or reply["type"] == "handler_rejected"
        assert client.call("answer")["code"] == "NO_METHOD"


def test_only_signed_code_where_that_is_asked_for(start_agent, tmp_path):
    key = tmp_path / "key"
    made = subprocess.run([BUILD / "pifleet", "sign", "--make-key", key, "--unlocked"],
                          capture_output=True, text=True, check=True)
    line = made.stdout.strip()
    module = tmp_path / "camera_handlers.py"
    module.write_text(echo("signed"))
    subprocess.run([BUILD / "pifleet", "sign", "--key", key, module], check=True,
                   capture_output=True)
    signature = (tmp_path / "camera_handlers.py.minisig").read_text()
    agent = start_agent(config={"handlers": {"require_signature": True,
                                             "trusted_keys": [line]}})
    with agent.connect() as client:
        assert rejected(deploy(client, echo("signed")), "security").startswith(
            "Signature missing")
        assert rejected(deploy(client, echo("other"), signature=signature),
                        "security").startswith("Signature refused")
        must_deploy(client, echo("signed"), signature=signature)
        assert client.call("answer")["version"] == "signed"


def test_deployments_take_no_longer_than_they_may(client):
    """A bound against accidents, under sanitizers on a busy machine; bench/ measures."""
    must_deploy(client, echo("0"))
    times = []
    for version in range(5):
        before = time.monotonic()
        must_deploy(client, echo(f"v{version}"))
        times.append(time.monotonic() - before)
    assert sorted(times)[2] < 2, times


@pytest.mark.skipif(not shutil.which("prlimit"), reason="util-linux is not installed")
def test_no_number_of_clients_keeps_modules_from_their_descriptors(start_agent):
    agent = start_agent(launcher=["prlimit", "--nofile=300:300"])
    agent.await_handlers()
    with agent.connect() as client, contextlib.ExitStack() as others:
        refused = None
        while not refused:
            other = others.enter_context(agent.connect())
            other.send_request("ping")
            reply = other.receive()
            refused = not reply["success"] and reply
        assert refused["code"] == "BUSY"
        for number in range(20):
            must_deploy(client, echo("v", name=f"answer_{number}"), f"module_{number}.py")
        assert all(client.call(f"answer_{n}")["success"] for n in range(20))
