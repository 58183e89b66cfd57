"""The spawner as its shipped unit, under the real systemd."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

from agent_process import BUILD, TOP
from spawner_client import WALLS, SpawnerClient, wall_names

pytestmark = pytest.mark.systemd

SOCKET = "/run/pifleet-spawner.sock"
UNITS = pathlib.Path("/run/systemd/system")
PROGRAMS = pathlib.Path("/usr/local/bin")


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], check=True, text=True,
                          capture_output=True).stdout.strip()


@pytest.fixture
def installed():
    for program in ("pifleet-spawner", "tests/support/hostile-probe"):
        shutil.copy(BUILD / program, PROGRAMS)
    folder = TOP / "packaging/systemd"
    text = (folder / "pifleet-spawner@.service.in").read_text()
    text = text.replace("@bindir@", str(PROGRAMS)).replace("@sysconfdir@", "/etc")
    # The leak sanitizer would look into itself by ptrace, which is taken away.
    text = text.replace("[Service]", "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0", 1)
    (UNITS / "pifleet-spawner@.service").write_text(text)
    shutil.copy(folder / "pifleet-spawner.socket", UNITS)
    subprocess.run(["systemd-sysusers", folder / "pifleet.sysusers"], check=True)
    systemctl("daemon-reload")
    systemctl("start", "pifleet-spawner.socket")
    yield
    systemctl("stop", "pifleet-spawner.socket")


@pytest.fixture
def client(installed):
    client = SpawnerClient(SOCKET)
    yield client
    client.close()


def probe(*arguments):
    return [str(PROGRAMS / "hostile-probe"), *arguments]


def journal():
    return subprocess.run(["journalctl", "--no-pager", "-n", "40"], check=False, text=True,
                          capture_output=True).stdout


def test_every_wall_stands(client):
    kind, (_, walls, abi, _) = client.receive()
    assert kind == "welcome"
    assert wall_names(walls) == WALLS, journal()
    assert abi >= 1
    for attempt in (["mount"], ["unshare"], ["keyctl"], ["inet", "22"], ["list", "/home"],
                    ["write", "/etc/x"], ["read", "/var/lib/pifleet-spawner/data"]):
        printed, ended = client.run(1, "probe", probe(*attempt))
        assert ended[1] == 0, (attempt, printed)


def test_a_shared_folder_is_written_by_modules_and_read_by_people(client):
    client.receive()
    for name in ("first", "second"):
        printed, ended = client.run(1, name, probe("write", "/srv/recordings/clip"),
                                    shared=["/srv/recordings"])
        assert os.waitstatus_to_exitcode(ended[1]) == 1, (printed, journal())
    clip = pathlib.Path("/srv/recordings/clip")
    assert clip.read_text() == "xx"
    assert clip.group() == "pifleet-modules"


def test_a_memory_bomb_is_the_kernels_to_stop(client):
    client.receive()
    _, ended = client.run(1, "bomb", probe("memory", "100", "stay"), memory=32 << 20)
    assert ended[2] == 2, ended  # for want of memory
    assert ended[5] <= 33 << 20


def test_nothing_outlives_the_conversation(client):
    client.receive()
    read, write = os.pipe()
    client.start(1, write, "stays", probe("wait"))
    os.close(write)
    kind, values = client.receive()
    assert kind == "started"
    pid = values[3]
    assert os.read(read, 16) == b"here\n"
    client.close()
    assert os.read(read, 1) == b""
    os.close(read)
    end = time.monotonic() + 60
    while systemctl("list-units", "--no-legend", "pifleet-spawner@*.service"):
        assert time.monotonic() < end, journal()
        time.sleep(0.1)
    assert not pathlib.Path(f"/proc/{pid}").exists()


def test_only_the_agents_user_may_ask(installed):
    mode = os.stat(SOCKET)
    assert mode.st_mode & 0o777 == 0o660
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                             "/usr/bin/python3", "-c",
                             "import socket; socket.socket(socket.AF_UNIX, "
                             f"socket.SOCK_SEQPACKET).connect('{SOCKET}')"], check=False,
                            capture_output=True, text=True)
    assert "PermissionError" in result.stderr
