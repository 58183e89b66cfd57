"""Modules that are there when the agent starts."""

import json
import os
import pathlib
import shutil
import signal
import time

import pytest

from handler_modules import deploy, echo, must_deploy, one_command, stats, until

LAZY = {"handlers": {"start": "lazy"}}
GREET = ('#include <pifleet/handler.h>\nstatic int greet(struct pifleet_call *call)\n{\n'
         '        pifleet_put_text(call, "greeting", "hello");\n        return 0;\n}\n'
         'PIFLEET_MODULE(PIFLEET_COMMAND("greet", greet, "Greets."))\n')


def restart(start_agent, state, config=None):
    """An agent on the state that another has left."""
    return start_agent(config=config, arguments=["--state-dir", str(state)])


def deployed(start_agent, tmp_path, modules, config=None):
    """A state directory with these modules in place, {filename: code}."""
    state = tmp_path / "state"
    agent = start_agent(config=config, arguments=["--state-dir", str(state)])
    with agent.connect() as client:
        for filename, code in modules.items():
            must_deploy(client, code, filename)
    assert agent.stop() == 0
    return state


def test_modules_are_there_after_a_restart(start_agent, tmp_path):
    state = deployed(start_agent, tmp_path, {"camera_handlers.py": echo("kept")})
    with restart(start_agent, state).connect() as client:
        until(lambda: client.call("answer").get("version") == "kept", client)


def test_a_hundred_modules_one_of_them_bad(start_agent, tmp_path):
    modules = {f"module_{n}.py": echo(str(n), name=f"answer_{n}") for n in range(99)}
    modules["bad.py"] = one_command("return {}", name="bad") + \
        "\nimport os\nif os.path.exists('flag'):\n    raise RuntimeError('bad')\n" \
        "with open('flag', 'w') as flag:\n    flag.write('x')\n"
    state = deployed(start_agent, tmp_path, modules)
    agent = restart(start_agent, state)
    with agent.connect() as client:
        before = time.monotonic()
        until(lambda: client.call("get_status")["handlers_loaded"] == 99, client, seconds=60)
        assert time.monotonic() - before < 60
        assert client.call("answer_57")["version"] == "57"
        until(lambda: "RuntimeError: bad" in stats(client, "bad.py").get("broken", ""), client)


def test_a_dropped_file_is_taken_at_start_when_it_passes(start_agent, tmp_path):
    state = deployed(start_agent, tmp_path, {"camera_handlers.py": echo("old")})
    (state / "handlers" / "dropped.py").write_text(echo("dropped", name="dropped"))
    (state / "handlers" / "camera_handlers.py").write_text("import os\nos.system('x')\n")
    agent = restart(start_agent, state)
    with agent.connect() as client:
        until(lambda: client.call("dropped").get("version") == "dropped", client)
        until(lambda: client.call("answer").get("version") == "old", client)
        log = until(lambda: len(client.call("update_log")["entries"]) == 3 and
                    client.call("update_log")["entries"], client)
        assert {(one["filename"], one["result"], one["who"]) for one in log[1:]} == {
            ("dropped.py", "updated", "local"), ("camera_handlers.py", "rejected", "local")}


def test_a_module_in_c_needs_its_compiler_once(start_agent, tmp_path):
    if not shutil.which("cc"):
        return
    state = deployed(start_agent, tmp_path, {"greet.c": GREET})
    agent = restart(start_agent, state)
    with agent.connect() as client:
        until(lambda: client.call("greet").get("greeting") == "hello", client)
        assert len(client.call("update_log")["entries"]) == 1
    assert agent.stop() == 0
    for made in (state / "handler-store" / "objects").iterdir():
        made.unlink()
    with restart(start_agent, state).connect() as client:
        until(lambda: client.call("greet").get("greeting") == "hello", client)


def test_a_disabled_module_says_why_and_how_to_go_on(start_agent, tmp_path):
    state = deployed(start_agent, tmp_path, {"camera_handlers.py": echo("kept")})
    active = state / "handler-store" / "active.json"
    assert json.loads(active.read_text())
    sources = list((state / "handler-store" / "sources").iterdir())
    (state / "handlers" / "camera_handlers.py").write_text("x = 1\n")
    for source in sources:
        source.chmod(0o600)
        source.write_text("damaged")
    with restart(start_agent, state).connect() as client:
        assert client.call("ping")["success"]
        until(lambda: client.call("update_log")["entries"], client)
        must_deploy(client, echo("new"))
        assert client.call("answer")["version"] == "new"


def is_started_by_its_first_call(agent, filename, command, member, value):
    agent.await_handlers()
    with agent.connect() as client:
        assert client.call("get_status")["handlers"]["loaded"] == 0
        assert stats(client, filename)["state"] == "idle"
        assert client.call(command)[member] == value
        assert stats(client, filename)["state"] == "serving"
    assert agent.stop() == 0


@pytest.mark.parametrize("before", ({}, LAZY), ids=("now", "lazy"))
def test_a_lazy_module_is_started_by_its_first_call(start_agent, tmp_path, before):
    state = deployed(start_agent, tmp_path, {"camera_handlers.py": echo("lazy")}, before)
    is_started_by_its_first_call(restart(start_agent, state, LAZY), "camera_handlers.py", "answer",
                                 "version", "lazy")


def test_a_lazy_module_whose_commands_nobody_noted_is_loaded_once(start_agent, tmp_path):
    state = deployed(start_agent, tmp_path, {"camera_handlers.py": echo("lazy")})
    (state / "commands.camera_handlers.py.json").unlink(missing_ok=True)
    agent = restart(start_agent, state, LAZY)
    with agent.connect() as client:
        until(lambda: client.call("answer").get("version") == "lazy", client)
        until((state / "commands.camera_handlers.py.json").exists, client)
    assert agent.stop() == 0
    is_started_by_its_first_call(restart(start_agent, state, LAZY), "camera_handlers.py", "answer",
                                 "version", "lazy")


@pytest.mark.parametrize("before", ({}, LAZY), ids=("now", "lazy"))
def test_a_lazy_module_in_c_is_started_by_its_first_call(start_agent, tmp_path, before):
    state = deployed(start_agent, tmp_path, {"greet.c": GREET}, before)
    is_started_by_its_first_call(restart(start_agent, state, LAZY), "greet.c", "greet", "greeting",
                                 "hello")


def test_a_module_in_c_that_was_compiled_anew_stays_so(start_agent, tmp_path):
    state = deployed(start_agent, tmp_path, {"greet.c": GREET})
    objects = state / "handler-store" / "objects"
    for made in objects.iterdir():
        made.unlink()
    agent = restart(start_agent, state)
    with agent.connect() as client:
        until(lambda: client.call("greet").get("greeting") == "hello", client)
    assert agent.stop() == 0
    assert len(list(objects.iterdir())) == 1
    is_started_by_its_first_call(restart(start_agent, state, LAZY), "greet.c", "greet", "greeting",
                                 "hello")


def test_a_host_is_started_by_its_file(agent):
    with agent.connect() as client:
        must_deploy(client, echo("it"))
        words = pathlib.Path(f"/proc/{stats(client)['pid']}/cmdline").read_bytes().split(b"\0")
        assert words[1:3] == [b"-I", b"-B"] and words[3].endswith(b"/host/__main__.py"), words


def test_a_folder_that_cannot_be_shared_is_named_with_what_to_do(start_agent):
    agent = start_agent(config={"handlers": {"shared_dirs": ["/opt/recordings"]}})
    with agent.connect() as client:
        reply = deploy(client, echo("it"))
        assert not reply["success"] and reply["type"] != "handler_rejected", reply
        for words in ("/opt/recordings", "/home, /srv, /mnt or /media", "--allow-shared",
                      "ReadWritePaths="):
            assert words in reply["error"], reply


def own_folders(agent):
    return {path.name for path in (agent.state / "spawner" / "data").iterdir()}


@pytest.mark.parametrize("suffix", (".py", ".c"))
def test_the_longest_name_is_as_good_as_any(agent, suffix):
    filename = "a" + "_" * 62 + suffix
    with agent.connect() as client:
        must_deploy(client, echo("it") if suffix == ".py" else GREET, filename)
        assert client.call("answer" if suffix == ".py" else "greet")["success"]


def come_and_go(client, names):
    """Each is refused as a first version, so that nothing is known of it afterwards."""
    for name in names:
        reply = deploy(client, "raise ValueError('no')\n", name)
        assert reply["validation_details"]["layer"] == "import", reply


def test_a_module_that_never_came_into_place_gives_its_user_back(agent):
    with agent.connect() as client:
        must_deploy(client, echo("it"))
        come_and_go(client, [f"passing_{number}.py" for number in range(3)])
        until(lambda: own_folders(agent) == {"camera_handlers.py", "0-validator"}, client)


@pytest.mark.long
def test_more_modules_come_and_go_than_there_are_users(agent):
    names = [f"passing_{number}.py" for number in range(1100)]
    with agent.connect() as client:
        for name in names[:600]:
            must_deploy(client, echo("it"), name)
            assert client.call("remove_handler", filename=name)["success"]
        come_and_go(client, names[600:])
        must_deploy(client, echo("it"))
        assert client.call("answer")["success"]
        # What was removed last has a way back, and its folder for that.
        assert len(own_folders(agent)) <= 514


def test_ctrl_c_in_a_terminal_ends_the_agent_first(start_agent):
    agent = start_agent(launcher=["setsid"])  # the leader of a group, as a shell makes it
    with agent.connect() as client:
        must_deploy(client, echo("it"))
    os.killpg(agent.process.pid, signal.SIGINT)
    assert agent.process.wait(timeout=30) == 0
    lines = agent.stderr().splitlines()
    assert lines[-1].endswith("agent: stopped")
    assert not [line for line in lines if "trouble" in line]
