"""The examples do what they say: the modules in their hosts, the walls left out."""

import os
import subprocess

from host_process import NATIVE, PYTHON, SECONDS, TOP, Host
from test_compiler import compile_module

EXAMPLES = TOP / "examples" / "handlers"
RECORDER = """#!/bin/sh
# Stands in for the camera's: writes, and ends well on SIGINT.
trap 'echo end >> "$4"; exit 0' INT
echo begin > "$4"
while :; do sleep 1 & wait; done
"""


def test_the_camera_module_records_beyond_the_call(tmp_path):
    program = tmp_path / "bin" / "rpicam-vid"
    program.parent.mkdir()
    program.write_text(RECORDER)
    program.chmod(0o755)
    folder = tmp_path / "home" / "recordings"
    source = (EXAMPLES / "camera_handlers.py").read_text().replace("/home/pi/recordings", str(folder))
    environment = {**os.environ, "PATH": f"{program.parent}:/usr/bin:/bin"}
    with Host(PYTHON, source, environment=environment) as host:
        assert host.commands("camera_handlers.py") == ["start_recording", "stop_recording",
                                                       "camera_status"]
        assert host.call("camera_status")["result"]["recording"] is False
        started = host.call("start_recording", {"name": "../door"})["result"]
        assert started["success"] and os.path.dirname(started["file"]) == str(folder)
        try:
            assert host.call("start_recording")["result"]["success"] is False
            assert host.call("camera_status")["result"]["recording"] is True
            # As soon as it records; the shell sets its trap before.
            while not os.path.exists(started["file"]):
                os.sched_yield()
        finally:
            stopped = host.call("stop_recording")["result"]
        assert stopped["success"] and stopped["size"] == len("begin\nend\n")
        assert host.call("stop_recording")["result"]["success"] is False
        status = host.call("camera_status")["result"]
        assert status["recording"] is False and len(status["recordings"]) == 1


def test_the_blink_module_compiles_without_a_warning_and_runs():
    verdict, built = compile_module((EXAMPLES / "blink.c").read_bytes(), refuse="low")
    assert verdict["valid"], verdict
    with Host(NATIVE, built) as host:
        assert host.commands("blink.c") == verdict["commands"]
        assert isinstance(host.call("blink_leds")["result"]["leds"], list)
        assert "can't be used" in host.call("blink_start", {"led": "none"})["error"]["message"]
        assert "no name" in host.call("blink_start", {"led": "../x"})["error"]["message"]
        assert "20 to 60000" in host.call("blink_start", {"period_ms": 1})["error"]["message"]
        assert host.call("blink_status") == {"result": {"blinking": False, "blinks": 0}}
        assert host.end()[0] == 0


def test_the_client_says_when_there_is_no_agent():
    done = subprocess.run([TOP / "examples" / "test_client.py", "--port", "1"], timeout=SECONDS,
                          capture_output=True, check=False)
    assert done.returncode == 1 and b"No agent at 127.0.0.1:1" in done.stderr
