"""`pifleet doctor`: what it finds, and what it says of it."""

import json
import os
import pathlib
import subprocess

import pytest

from command_line import OK, PROGRAM, REFUSED, SECONDS, STATUS, environment, needs_agent, run
from fake_agent import FakeAgent, Greeter
from ports import free_port


def findings(out):
    page = json.loads(out)
    assert page["problems"] == sum(f["level"] == "problem" for f in page["findings"])
    assert page["warnings"] == sum(f["level"] == "warning" for f in page["findings"])
    return page["findings"]


def of(found, area, level):
    return [f["text"] for f in found if f["area"] == area and f["level"] == level]


def write_config(tmp_path, mode=0o600, **sections):
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps({"state_dir": str(tmp_path / "state"), **sections}))
    path.chmod(mode)
    return path


def test_doctor_finds_an_agent_and_no_problem(tmp_path):
    with FakeAgent({"get_status": STATUS}) as fake:
        path = write_config(tmp_path, command={"port": fake.port, "socket": ""},
                            access={"tokens": [{"name": "a", "hash": "b", "role": "admin"}]})
        _, out, _ = run("doctor", "--config", path, PATH="/nonexistent")
    found = findings(out)
    assert of(found, "agent", "ok") == [f"answers at 127.0.0.1:{fake.port}, version 0.1.0"]
    assert of(found, "access", "ok") == ["1 token"]
    assert not of(found, "agent", "problem") and not of(found, "port", "problem")
    for area in ("config", "state", "disk", "clock", "gpio", "descriptors"):
        assert any(f["area"] == area for f in found), area


def test_doctor_finds_that_nobody_answers(tmp_path):
    path = write_config(tmp_path, command={"port": free_port(), "socket": str(tmp_path / "s")})
    status, out, _ = run("doctor", "--config", path)
    assert status == REFUSED and of(findings(out), "agent", "problem")


def test_doctor_finds_somebody_else_at_the_port(tmp_path):
    with Greeter(b"220 mail\r\n") as stranger:
        path = write_config(tmp_path, command={"port": stranger.port, "socket": ""})
        status, out, _ = run("doctor", "--config", path)
    found = findings(out)
    assert status == REFUSED
    assert "something else than an agent" in of(found, "port", "problem")[0]
    assert any("ss -ltnp" in f.get("advice", "") for f in found)


def test_doctor_finds_what_is_odd_about_the_agent(tmp_path):
    answer = {**STATUS, "version": "9.9.9\033[2J", "gpio_backend": "simulated"}
    with FakeAgent({"get_status": answer}) as fake:
        _, out, _ = run("doctor", "--port", fake.port, "--text")
    assert "another version" in out and "simulated" in out
    assert "\033" not in out


@pytest.mark.parametrize("mqtt, level, words", [
    ({"listening": True, "address": "127.0.0.1:1883", "port": 1883}, "ok", "127.0.0.1:1883"),
    ({"listening": False}, "problem", "another program's"),
])
def test_doctor_tells_where_mqtt_is(mqtt, level, words):
    with FakeAgent({"get_status": {**STATUS, "mqtt": mqtt}}) as fake:
        status, out, _ = run("doctor", "--port", fake.port)
    assert words in of(findings(out), "mqtt", level)[0]
    assert status == REFUSED or level == "ok"


@pytest.mark.parametrize("mode, level", [(0o600, "ok"), (0o640, "ok"), (0o644, "warning"),
                                         (0o602, "problem")])
def test_doctor_looks_at_who_can_read_the_config(tmp_path, mode, level):
    path = write_config(tmp_path, mode=mode)
    found = findings(run("doctor", "--config", path, "--port", free_port())[1])
    assert any(f"{mode:04o}" in text for text in of(found, "config", level))


@pytest.mark.parametrize("access, level, words", [
    ({}, "warning", "no token exists"),
    ({"mode": "open"}, "ok", "this machine only"),
    ({"mode": "open", "allow_open_network": True}, "warning", "open to the network"),
])
def test_doctor_looks_at_who_may_come_in(tmp_path, access, level, words):
    path = write_config(tmp_path, access=access)
    found = findings(run("doctor", "--config", path, "--port", free_port())[1])
    assert words in of(found, "access", level)[0]


def test_doctor_looks_at_where_modules_share_folders(tmp_path):
    path = write_config(tmp_path, handlers={"shared_dirs": ["/srv/films", "/opt/recordings"]})
    found = findings(run("doctor", "--config", path, "--port", free_port())[1])
    warnings = [f for f in found if f["area"] == "handlers"]
    assert len(warnings) == 1 and "/opt/recordings" in warnings[0]["text"]
    for words in ("ReadWritePaths=/opt/recordings", "--allow-shared /opt/recordings"):
        assert words in warnings[0]["advice"]


def test_doctor_looks_at_the_state_directory(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    path = write_config(tmp_path)
    found = findings(run("doctor", "--config", path, "--port", free_port())[1])
    assert "can be written by others" in of(found, "state", "problem")[0]


def test_doctor_misses_a_config_that_was_named(tmp_path):
    status, out, _ = run("doctor", "--config", tmp_path / "none", "--port", free_port())
    assert status == REFUSED and "No such file" in of(findings(out), "config", "problem")[0]


def test_doctor_asks_the_agent_about_the_config(tmp_path):
    program = tmp_path / "bin" / "pifleet-agent"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >"$0.words"\necho "agent.yaml:3:1: no such key"\n'
                       "echo more; exit 1\n")
    program.chmod(0o755)
    # A copy, so that the agent beside the one that was built is not found first.
    copy = tmp_path / "pifleet"
    copy.write_bytes(PROGRAM.read_bytes())
    copy.chmod(0o755)
    path = write_config(tmp_path)
    done = subprocess.run([copy, "doctor", "--config", path, "--port", str(free_port())],
                          capture_output=True, timeout=SECONDS, check=False,
                          env=environment(PATH=f"{program.parent}:{os.environ['PATH']}"))
    assert of(findings(done.stdout), "config", "problem") == [
        "the agent refuses it: agent.yaml:3:1: no such key"]
    assert pathlib.Path(f"{program}.words").read_text() == f"--check-config --config {path}\n"


@needs_agent
def test_the_real_agent_accepts_what_setup_writes(tmp_path):
    path = tmp_path / "agent.yaml"
    assert run("setup", "--config", path)[0] == OK
    found = findings(run("doctor", "--config", path, "--port", free_port())[1])
    assert "the agent accepts it" in of(found, "config", "ok")
