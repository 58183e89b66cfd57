"""A client that nobody here wrote a library for: Node.js and its plain sockets."""

import json
import pathlib
import shutil
import subprocess

import pytest

CLIENT = pathlib.Path(__file__).parent / "clients" / "game-server.js"


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_a_game_server_in_node_plays_unchanged(agent):
    run = subprocess.run(["node", CLIENT, str(agent.port)], capture_output=True, text=True,
                         timeout=60)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["pong"]["type"] == "pong" and seen["pong"]["success"]
    assert [(goal["pin"], goal["state"]) for goal in seen["goals"]] == [
        (17, "on"), (17, "off"), (27, "on"), (27, "off"), (22, "on"), (22, "off")]
    assert seen["pins"]["pins"]["17"]["mode"] == "output"
    assert seen["lamp"]["pin"] == 17 and seen["lamp"]["simulated"] is True
    assert seen["unknown"]["code"] == "NO_METHOD" and "led_on" in seen["unknown"]["error"]
    assert seen["text"]["echo"] == {"message": "Tor für Köln! ⚽",
                                    "nested": {"list": [1, 2.5, None, True]}}
