"""A camera module as it is written in the field: state between calls, a recorder that outlives
the call, a folder of recordings under a home, stopped with pkill."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from handler_modules import deploy, must_deploy, stats, until

CLIENT = pathlib.Path(__file__).parent / "clients" / "deployer.js"
RECORDINGS = pathlib.Path("/home/pi/recordings")

CAMERA = '''"""Camera commands."""

import os
import subprocess
import time

RECORDINGS_DIR = "/home/pi/recordings"
camera_state = {"recording": False, "file": None, "count": 0}


def start_recording(command):
    """Starts recording"""
    if camera_state["recording"]:
        return {"success": False, "error": "Already recording"}
    os.makedirs(RECORDINGS_DIR, exist_ok=True)
    name = os.path.join(RECORDINGS_DIR, command.get("filename", "video.h264"))
    output = open(name, "wb")
    subprocess.Popen(["dd", "if=/dev/zero", "bs=512", "count=1"], stdout=output,
                     stderr=subprocess.DEVNULL).wait()
    process = subprocess.Popen(["sleep", "3600"], stdout=output)
    camera_state.update(recording=True, file=name, count=camera_state["count"] + 1)
    return {"success": True, "file": name, "pid": process.pid}


def stop_recording(command):
    """Stops recording"""
    if not camera_state["recording"]:
        return {"success": False, "error": "Not recording"}
    result = subprocess.run(["pkill", "-x", "sleep"], capture_output=True, timeout=5)
    camera_state["recording"] = False
    return {"success": result.returncode == 0, "file": camera_state["file"]}


def camera_status(command):
    """Recording or not"""
    running = subprocess.run(["pgrep", "-x", "sleep"], capture_output=True).stdout.split()
    return {"success": True, "recorders": len(running), **camera_state}


COMMAND_HANDLERS = {
    "start_recording": start_recording,
    "stop_recording": stop_recording,
    "camera_status": camera_status,
}
'''


@pytest.mark.skipif(not shutil.which("pkill"), reason="procps is not installed")
def test_a_recorder_outlives_its_call_and_is_stopped_with_pkill(agent):
    name = f"test-{os.getpid()}.h264"
    bystander = subprocess.Popen(["sleep", "3600"])
    try:
        with agent.connect() as client:
            reply = must_deploy(client, CAMERA)
            assert reply["reload"]["commands"] == [
                "start_recording", "stop_recording", "camera_status"]
            started = client.call("start_recording", filename=name)
            assert started["success"] and started["file"] == str(RECORDINGS / name), started
            assert client.call("start_recording")["error"] == "Already recording"
            status = client.call("camera_status")
            assert status["recording"] is True and status["recorders"] == 1, status
            assert stats(client)["tasks"] == 2
            if os.geteuid() == 0:
                assert (RECORDINGS / name).stat().st_size == 512
            assert client.call("stop_recording")["success"]
            until(lambda: client.call("camera_status")["recorders"] == 0, client)
            assert client.call("camera_status")["count"] == 1
        # Signals reach the module's own processes, and no others.
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        if os.geteuid() == 0:
            (RECORDINGS / name).unlink(missing_ok=True)


def test_a_reload_ends_a_recording_and_says_so(agent):
    name = f"test-{os.getpid()}-reload.h264"
    with agent.connect() as client:
        must_deploy(client, CAMERA)
        assert client.call("start_recording", filename=name)["success"]
        assert client.call("reload_handler", filename="camera_handlers.py")[
            "children_killed"] == 1
        assert client.call("camera_status")["recording"] is False
        assert deploy(client, CAMERA)["unchanged"] is True
    if os.geteuid() == 0:
        (RECORDINGS / name).unlink(missing_ok=True)


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_a_node_client_deploys_and_calls_on_one_connection(agent):
    run = subprocess.run(["node", CLIENT, str(agent.port)], capture_output=True, text=True,
                         timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    updated = seen["updated"]
    assert updated["type"] == "handler_updated" and updated["validation_passed"] is True
    assert updated["reload"]["command_count"] == 3
    assert seen["pong"]["type"] == "pong"
    assert seen["started"]["file"] == "/home/pi/recordings/tor.h264"
    assert seen["started"]["type"] == "start_recording" and seen["started"]["timestamp"] > 0
    assert seen["status"]["state"] == {"recording": True}
    assert seen["stopped"]["success"] is True and seen["again"]["success"] is False
