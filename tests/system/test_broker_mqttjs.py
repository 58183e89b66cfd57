"""pifleet-broker and mqtt.js, which Node.js servers and web pages use.

What its clients do is in clients/mqtt-scenes.js; here is what they have to see. Debian has
mqtt.js as node-mqtt, where another vendor's Node.js does not look by itself.
"""

import json
import os
import pathlib
import subprocess

import pytest

from broker_process import broker_process

SCENES = pathlib.Path(__file__).parent / "clients" / "mqtt-scenes.js"
MODULES = "/usr/share/nodejs"
SECONDS = 60

pytestmark = pytest.mark.skipif(not pathlib.Path(MODULES, "mqtt").exists(),
                                reason="node-mqtt is not installed")
BOTH = pytest.mark.parametrize("version", ["4", "5"])
OVER = {"mqtt": "mqtt://127.0.0.1:{0.port}", "websocket": "ws://127.0.0.1:{0.http_port}/mqtt"}


@pytest.fixture(name="play", params=OVER)
def player(request):
    """What the clients of a scene saw of a broker of their own, over TCP and WebSockets."""
    return lambda scene, version: play_over(OVER[request.param], scene, version)


def play_over(url, scene, version):
    paths = [MODULES, os.environ.get("NODE_PATH")]
    environment = {**os.environ, "NODE_PATH": os.pathsep.join(filter(None, paths))}
    with broker_process() as broker:
        done = subprocess.run(["node", SCENES, url.format(broker), version, scene],
                              env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@BOTH
def test_messages_of_every_qos_come_in_order(play, version):
    seen = play("every_qos", version)
    assert seen["granted"] == [["t/#", 2], ["one", 1]]
    # QoS 2 is handed on when it is released, which is later: in order among themselves.
    assert sorted(seen["messages"], key=lambda message: message[0]) == [
        ["one", "last", 1, False],
        *([f"t/{qos}", str(number), qos, False] for qos in range(3) for number in range(50))]


@BOTH
def test_retained_messages_are_replaced_and_removed(play, version):
    seen = play("retained", version)
    assert seen["kept"] == [["kept/0", "old", 0, True], ["kept/1", "new", 1, True]]
    assert seen["live"] == [["kept/1", "live", 1, False]]


@BOTH
def test_wills_of_every_qos_and_none_after_a_disconnect(play, version):
    seen = play("wills", version)
    assert seen["seen"] == [["will/0", "gone", 0, False], ["will/1", "gone", 1, False],
                            ["will/2", "gone", 2, False], ["will/end", "end", 1, False]]
    assert seen["kept"] == [["will/2", "gone", 2, True]]


@BOTH
def test_a_session_is_resumed_with_its_messages(play, version):
    seen = play("session", version)
    assert (seen["before"], seen["present"], seen["after"]) == (False, True, False)
    assert sorted(seen["waited"], key=lambda message: message[2]) == [
        ["t", f"{qos}{number}", qos, False] for qos in (1, 2) for number in range(3)]


def test_a_request_is_answered_with_its_properties(play):
    seen = play("request", "5")
    expiry = seen["properties"].pop("messageExpiryInterval")
    assert 0 < expiry <= 60
    assert seen["properties"] == {
        "responseTopic": "reply/asker", "correlationData": [0, 1, 255],
        "contentType": "text/plain", "payloadFormatIndicator": True,
        "userProperties": {"from": "asker", "tag": ["a", "b"]}, "subscriptionIdentifier": 7}
    assert (seen["reply"], seen["correlation"]) == ("noon", [0, 1, 255])
