"""Disks that are full, read-only or tampered with, and interpreters that went away: what is in
place goes on, what cannot be done is told."""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess

import pytest

from handler_modules import deploy, echo, must_deploy, one_command, stats, until
from system_calls import Fault, thread_of

MODULE = "camera_handlers.py"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture(name="small_disk")
def fixture_small_disk(tmp_path):
    """Mounts a small disk and says where; gone afterwards."""
    with contextlib.ExitStack() as mounted:
        def mount(options):
            place = tmp_path / "disk"
            place.mkdir()
            tmp_path.chmod(0o755)
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
            mounted.callback(subprocess.run, ["umount", "-l", place], check=True)
            return place

        yield mount


def fill_bytes(place):
    with open(place / "filler", "wb", buffering=0) as filler:
        with contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass
    return [place / "filler"]


def fill_inodes(place):
    made = []
    with contextlib.suppress(OSError):
        while True:
            path = place / f"filler-{len(made)}"
            path.touch()
            made.append(path)
    return made


@needs_root
@pytest.mark.parametrize("options, fill", [("size=2m", fill_bytes),
                                           ("size=64m,nr_inodes=80", fill_inodes)],
                         ids=["bytes", "inodes"])
def test_a_full_disk_refuses_and_keeps_what_is_there(start_agent, small_disk, options, fill):
    place = small_disk(options)
    arguments = ["--state-dir", str(place / "state")]
    agent = start_agent(arguments=arguments)
    with agent.connect() as client:
        must_deploy(client, echo("old"))
        filler = fill(place)
        for _ in range(3):
            reply = deploy(client, echo("new"))
            assert not reply["success"] and "No space left" in reply["error"], reply
            assert client.call("answer")["version"] == "old"
        reply = client.call("remove_handler", filename=MODULE)
        assert not reply["success"] and client.call("answer")["version"] == "old", reply
    assert agent.stop() == 0
    agent = start_agent(arguments=arguments)
    agent.await_handlers()
    with agent.connect() as client:
        until(lambda: client.call("answer").get("version") == "old", client)
        for path in filler:
            path.unlink()
        must_deploy(client, echo("new"))
        assert client.call("answer")["version"] == "new"
    left = [path.name for path in (place / "state").rglob("*.partial")]
    assert not left


def remount(place, how):
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True)


def refused_for_the_disk(client):
    """Whatever changes something says why it cannot."""
    for reply in (deploy(client, echo("new")),
                  deploy(client, echo("other", name="other"), "never_seen.py"),
                  client.call("remove_handler", filename=MODULE),
                  client.call("rollback_handler", filename=MODULE)):
        assert not reply["success"] and "Read-only file system" in reply["error"], reply


@needs_root
def test_a_disk_that_becomes_read_only_refuses_changes_and_nothing_else(start_agent, small_disk):
    place = small_disk("size=16m")
    # The kernel makes no disk read-only while a file of it is open for writing, such as the
    # broker's journal; a disk that fails does so by itself.
    agent = start_agent(arguments=["--state-dir", str(place / "state")],
                        config={"mqtt": {"durability": "memory"}})
    with agent.connect() as client:
        must_deploy(client, echo("first"))
        must_deploy(client, echo("old"))
        remount(place, "ro")
        refused_for_the_disk(client)
        assert client.call("answer")["version"] == "old"
        # A host that ends is started again.
        os.kill(stats(client)["pid"], signal.SIGKILL)
        until(lambda: client.call("answer").get("version") == "old", client)
    # And so are all, after the power was cut.
    agent.process.kill()
    agent.wait()
    agent.restart()
    agent.await_handlers()
    with agent.connect() as client:
        until(lambda: client.call("answer").get("version") == "old", client)
        refused_for_the_disk(client)
        remount(place, "rw")
        must_deploy(client, echo("new"))
        must_deploy(client, echo("other", name="other"), "never_seen.py")
        assert client.call("answer")["version"] == "new"
        assert client.call("rollback_handler", filename=MODULE)["success"]
        log = client.call("update_log")["entries"]
        assert [entry["result"] for entry in log if entry["filename"] == MODULE
                and entry["result"] != "failed"] == ["updated", "updated", "updated", "rolled_back"]
    left = [path.name for path in (place / "state").rglob("*.partial")]
    assert not left


@pytest.mark.parametrize("call, error", [
    ("openat", "EROFS"), ("openat", "EIO"), ("fsync", "EIO"), ("fdatasync", "EIO"),
    ("renameat", "EROFS"), ("linkat", "EROFS")])
def test_a_disk_that_refuses_everything_is_told_and_changes_nothing(agent, tmp_path, call, error):
    with agent.connect() as client:
        must_deploy(client, echo("old"))
        with Fault(thread_of(agent.process.pid, "store"), call, f"error={error}", "1+",
                   tmp_path / "trace"):
            reply = deploy(client, echo("new"))
        if reply["success"]:
            # A backup and a visible copy that cannot be linked are copied, or told in a warning.
            assert call == "linkat" and client.call("answer")["version"] == "new"
        else:
            assert os.strerror(getattr(errno, error)) in reply["error"], reply
            assert client.call("answer")["version"] == "old"
        must_deploy(client, echo("next"))
        assert client.call("answer")["version"] == "next"


@pytest.mark.parametrize("plant, why", [("link", "Too many levels of symbolic links"),
                                        ("dangling", "Too many levels of symbolic links"),
                                        ("folder", "Is a directory")])
def test_what_is_planted_in_the_way_is_never_followed(agent, tmp_path, plant, why):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    with agent.connect() as client:
        must_deploy(client, echo("1"))
        place = agent.state / "handlers" / MODULE
        place.unlink()
        if plant == "folder":
            place.mkdir()
        else:
            place.symlink_to(victim if plant == "link" else tmp_path / "nothing")
        reply = client.call("reload_handler", filename=MODULE)
        assert reply["error"] == f"handlers/{MODULE} cannot be read: {why}"
        assert client.call("answer")["version"] == "1"
        reply = deploy(client, echo("2"))
        assert client.call("answer")["version"] == ("2" if reply["success"] else "1"), reply
    assert victim.read_text() == "precious"
    assert not (tmp_path / "nothing").exists()


def test_a_file_that_somebody_removed_is_there_again_after_a_reload(agent):
    with agent.connect() as client:
        must_deploy(client, echo("1"))
        place = agent.state / "handlers" / MODULE
        place.unlink()
        assert client.call("reload_handler", filename=MODULE)["success"]
        assert place.read_text() == echo("1") and client.call("answer")["version"] == "1"


def test_a_new_version_is_on_probation_after_a_restart_too(agent):
    crashing = echo("new") + "\n\ndef crash(request):\n    import os\n    os.abort()\n" \
        "\n\nCOMMAND_HANDLERS['crash'] = crash\n"
    with agent.connect() as client:
        must_deploy(client, echo("old"))
        must_deploy(client, crashing)
        client.call("crash")
    agent.process.kill()
    agent.wait()
    agent.restart()
    agent.await_handlers()
    with agent.connect() as client:
        until(lambda: client.call("answer").get("version") == "new", client)
        assert stats(client)["probation"] is True
        until(lambda: client.call("crash")["code"] == "NO_METHOD", client, seconds=60)
        until(lambda: client.call("answer").get("version") == "old", client)
        last = client.call("update_log", filename=MODULE)["entries"][-1]
        assert last["result"] == "rolled_back" and last["who"] == "auto_rollback"


def test_without_its_interpreter_the_agent_serves_and_says_what_is_missing(start_agent):
    if not os.access("/usr/local/bin", os.W_OK):
        pytest.skip("needs an interpreter that can be taken away, in a place that modules see")
    python = pathlib.Path(f"/usr/local/bin/python3-of-a-test-{os.getpid()}")
    python.symlink_to("/usr/bin/python3")
    try:
        lose_and_find_the_interpreter(start_agent, python)
    finally:
        python.unlink(missing_ok=True)


def lose_and_find_the_interpreter(start_agent, python):
    agent = start_agent(config={"handlers": {"python": str(python)}})
    with agent.connect() as client:
        must_deploy(client, echo("kept"))
    assert agent.stop() == 0
    python.unlink()
    agent.restart()
    agent.await_handlers()
    with agent.connect() as client:
        assert client.call("ping")["success"]
        reply = until(lambda: (one := client.call("answer"))["code"] != "BUSY" and one, client)
        assert not reply["success"], reply
        assert not deploy(client, echo("new"))["success"]
        python.symlink_to("/usr/bin/python3")
        assert client.call("reload_handler", filename=MODULE)["success"]
        assert client.call("answer")["version"] == "kept"


def test_a_module_whose_library_went_away_is_disabled_alone(start_agent):
    library = pathlib.Path("/usr/lib/python3/dist-packages/handler_test_removed.py")
    if not os.access(library.parent, os.W_OK):
        pytest.skip("needs a library that can be taken away")
    library.write_text("VALUE = 1\n")
    try:
        agent = start_agent()
        with agent.connect() as client:
            must_deploy(client, "import handler_test_removed\n" + echo("1"))
            must_deploy(client, one_command("return {'fine': 1}", name="fine"), "other.py")
        assert agent.stop() == 0
    finally:
        library.unlink()
    agent.restart()
    with agent.connect() as client:
        agent.await_handlers()
        until(lambda: "handler_test_removed" in stats(client).get("broken", ""), client)
        until(lambda: client.call("fine").get("fine") == 1, client)
