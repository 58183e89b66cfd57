"""A machine without a clock of its own: it starts in 1970, and the network tells the time while
everything runs, or a battery that went flat takes it away again."""

import os
import struct
import time

import pytest

from agent_process import BUILD
from handler_modules import deploy, echo, must_deploy, stats, until

MODULE = "camera_handlers.py"
FAKED_CLOCK = BUILD / "tests" / "support" / "libfaked-clock.so"
YEARS = 365 * 86400

FAILING = echo("failing") + """

def fail(request):
    raise ValueError("on purpose")


def slow(request):
    import time
    time.sleep(1)
    return {"slept": True}


COMMAND_HANDLERS.update({"fail": fail, "slow": slow})
"""


class Calendar:
    """What an agent believes to be the time."""

    def __init__(self, path):
        self.path = path
        self.path.write_bytes(bytes(8))
        self.environment = {
            "LD_PRELOAD": str(FAKED_CLOCK), "PIFLEET_FAKED_CLOCK": str(path),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set(self, seconds):
        with open(self.path, "r+b", buffering=0) as file:
            file.write(struct.pack("=q", round(seconds - time.time())))


@pytest.fixture(name="calendar")
def fixture_calendar(tmp_path):
    tmp_path.chmod(0o755)
    calendar = Calendar(tmp_path / "calendar")
    calendar.set(5)
    return calendar


def start(start_agent, calendar, **handlers):
    agent = start_agent(config={"handlers": handlers}, environment=calendar.environment)
    agent.await_handlers()
    return agent


def kill_and_restart(agent):
    agent.process.kill()
    agent.wait()
    agent.restart()
    agent.await_handlers()


def backups(client):
    return client.call("list_backups", filename=MODULE)["backups"]


def test_versions_of_1970_and_of_today_stay_in_their_order(start_agent, calendar):
    agent = start(start_agent, calendar, backup_days=1)
    with agent.connect() as client:
        assert client.call("ping")["timestamp"] < YEARS
        for number in range(3):
            calendar.set(5)
            must_deploy(client, echo(f"1970-{number}"))
        assert client.call("answer")["timestamp"] < YEARS
    # The next start is in 1970 again: the same second, other backups.
    calendar.set(5)
    kill_and_restart(agent)
    with agent.connect() as client:
        until(lambda: client.call("answer").get("version") == "1970-2", client)
        must_deploy(client, echo("1970-3"))
        names = [one["file"] for one in backups(client)]
        assert len(set(names)) == 3 and all("_19700101_" in name for name in names), names
        # The network tells the time: nothing is 50 years old by that.
        calendar.set(time.time())
        must_deploy(client, echo("today"))
        assert len(backups(client)) == 4
        assert time.strftime("_%Y%m", time.gmtime()) in backups(client)[0]["file"]
    kill_and_restart(agent)
    with agent.connect() as client:
        until(lambda: client.call("answer").get("version") == "today", client)
        assert len(backups(client)) == 4
        # And it is gone again.
        calendar.set(7)
        must_deploy(client, echo("1970-4"))
        assert client.call("rollback_handler", filename=MODULE)["success"]
        assert client.call("answer")["version"] == "today"
        entries = client.call("update_log", filename=MODULE)["entries"]
        assert [entry["result"] for entry in entries] == ["updated"] * 6 + ["rolled_back"]
        assert [entry["seq"] for entry in entries] == sorted(entry["seq"] for entry in entries)
        assert entries[0]["time"] < YEARS < entries[4]["time"] > entries[5]["time"]


def test_backups_age_by_a_calendar_that_is_known_only(start_agent, calendar):
    agent = start(start_agent, calendar, backup_days=2)
    with agent.connect() as client:
        must_deploy(client, echo("1970-0"))
        must_deploy(client, echo("1970-1"))
        calendar.set(time.time())
        must_deploy(client, echo("a"))
        must_deploy(client, echo("b"))
        assert len(backups(client)) == 3
        calendar.set(time.time() + 3 * 86400)
        must_deploy(client, echo("c"))
        # Those that were replaced three days ago are gone; when that of 1970 was, nobody knows.
        left = [one["file"].split("_")[3][:4] for one in backups(client)]
        assert left == [time.strftime("%Y", time.gmtime(time.time() + 3 * 86400)), "1970"]


@pytest.mark.parametrize("where_to", [2_000_000_000, 7], ids=["forward", "back"])
def test_calls_statistics_and_probation_do_not_follow_the_calendar(start_agent, calendar, where_to):
    calendar.set(1_900_000_000)
    agent = start(start_agent, calendar, timeout=5)
    with agent.connect() as client:
        must_deploy(client, echo("old"))
        must_deploy(client, FAILING)
        for _ in range(3):
            assert not client.call("fail")["success"]
        client.send_request("slow")
        calendar.set(where_to)
        assert client.receive()["slept"] is True
        assert stats(client)["rollback_suggested"] is False and stats(client)["probation"] is True
        for _ in range(3):
            assert not client.call("fail")["success"]
        now = stats(client)
        # Six errors in a window, which is one of time that passed.
        assert now["rollback_suggested"] is True and now["restarts"] == 0
        slow = now["commands"]["slow"]
        assert slow["timeouts"] == 0 and 900 < slow["latency_ms"]["max"] < 5000
        assert abs(now["commands"]["fail"]["last_error_time"] - where_to) < 60
        for _ in range(20):
            assert client.call("answer")["success"]
        assert stats(client)["probation"] is False
        assert deploy(client, echo("new"))["success"]
        assert client.call("rollback_handler", filename=MODULE)["success"]
        assert stats(client)["version_state"] == "good"
