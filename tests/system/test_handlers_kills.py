"""SIGKILL at a system call of a deployment or a rollback: the module is the old or the new
version, whole, the update log says which, nothing grows and nothing lives on.

The real agent, the disk's thread and the loop's, and in other runs its spawner. What one kill
leaves is where the next one begins, so that what grows is seen. A sample in `./dev test`,
every call in `./dev test-long`. test_repository_kills.py does it for the disk alone, with
errors as well.
"""

import contextlib
import hashlib

import pytest

from descendants import children_of, orphans_come_here, words_of
from handler_modules import deploy, echo, must_deploy, until
from line_client import Closed
from system_calls import DURABLE, KILL, Fault, thread_of

MODULE = "camera_handlers.py"
VERSIONS = [echo(version) for version in "abc"]
DIGESTS = {hashlib.sha256(code.encode()).hexdigest(): code for code in VERSIONS}
ON_LOOP = ("sendmsg", "recvmsg", "sendto", "recvfrom", "read", "write", "openat", "close",
           "socketpair", "pipe2", "memfd_create", "fcntl", "epoll_ctl", "futex")
OF_SPAWNER = ("recvmsg", "sendmsg", "sendto", "clone", "clone3", "socketpair", "openat", "mkdirat",
              "fchmod", "newfstatat", "getdents64", "setsockopt", "fcntl", "read", "close", "poll",
              "waitid", "rt_sigprocmask")
SAMPLE = {
    "store": (("write", 1), ("write", 2), ("fsync", 1), ("fsync", 3), ("fsync", 5), ("fsync", 7),
              ("linkat", 1), ("renameat", 1), ("renameat", 2), ("renameat", 3), ("unlinkat", 1),
              ("fdatasync", 1), ("fdatasync", 2), ("fdatasync", 3)),
    "loop": (("sendmsg", 1), ("sendmsg", 2), ("sendto", 1), ("sendto", 2), ("close", 5),
             ("recvmsg", 1), ("recvmsg", 3), ("write", 3)),
    "spawner": (("recvmsg", 1), ("recvmsg", 3), ("sendmsg", 1), ("sendmsg", 2), ("sendmsg", 3),
                ("close", 4), ("read", 1), ("write", 1)),
}
POINTS_MAX = 400
MISSED_MAX = 2  # not every run makes as many calls
MINIMUM = {"store": 40, "loop": 50, "spawner": 50}
ENDINGS = {"deploy": "updated", "rollback": "rolled_back"}


class Place:
    """An agent with a module that has two earlier versions."""

    def __init__(self, agent, await_no_orphans, trace):
        self.agent = agent
        self.await_no_orphans = await_no_orphans
        self.trace = trace
        agent.await_handlers()
        with agent.connect() as client:
            for code in VERSIONS:
                must_deploy(client, code)

    def thread(self, whose):
        if whose == "spawner":
            found = [pid for pid in children_of(self.agent.process.pid)
                     if b"pifleet-spawner" in words_of(pid)]
            assert len(found) == 1
            return found[0]
        return self.agent.process.pid if whose == "loop" else thread_of(
            self.agent.process.pid, whose)

    def in_place(self, client):
        """The digest of what is in place, which answers, and is whole."""
        got = client.call("get_handler", filename=MODULE)
        assert got["success"] and got["code"] == DIGESTS[got["sha256"]], got
        version = until(lambda: client.call("answer").get("version"), client)
        assert got["code"] == echo(version)
        return got["sha256"]

    def log(self, client):
        return client.call("update_log", filename=MODULE, limit=1000)["entries"]

    def change(self, client, action, target):
        """Its reply, or None. What comes to the store thread after it has its answer when that is
        done."""
        reply = None
        with contextlib.suppress(Closed, BrokenPipeError):
            if action == "deploy":
                reply = deploy(client, DIGESTS[target])
            else:
                reply = client.call("rollback_handler", filename=MODULE, version=target[:16])
            client.call("update_log", limit=1)
        return reply

    def await_its_end(self, spawner):
        """It dies when it is next scheduled, and all seems well until the agent has seen that."""
        with self.agent.connect() as client:
            until(lambda: spawner not in children_of(self.agent.process.pid), client)

    def kill_in(self, action, whose, call, number):
        """True: the call was reached."""
        where = f"{action}: {call} {number} of {whose}"
        names = list(DIGESTS)
        with self.agent.connect() as client:
            told = len(self.log(client))
            before = self.in_place(client)
            target = names[(names.index(before) + 1) % len(names)]
            victim = self.thread(whose)
            with Fault(victim, call, KILL, number, self.trace) as fault:
                reply = self.change(client, action, target)
        if fault.reached and whose == "spawner":
            self.await_its_end(victim)
        elif fault.reached:
            self.agent.wait()
            self.await_no_orphans()
            self.agent.restart()
        elif whose != "spawner":
            assert self.agent.is_running() and reply["success"], where
        self.agent.await_handlers()
        self.await_no_orphans(self.agent.process.pid)
        with self.agent.connect() as client:
            assert client.call("ping")["success"], where
            self.check(client, where, reply, ENDINGS[action], before, target, told)
        return fault.reached

    def check(self, client, where, reply, ending, before, target, told):
        now = self.in_place(client)
        entries = [(one["result"], one.get("sha256")) for one in self.log(client)[told:]]
        where = f"{where}: {reply} {entries}"
        if now == target:
            assert entries == [(ending, target)], where
            assert not reply or reply["success"], where
        else:
            assert now == before and (not reply or not reply["success"]), where
            # Killed before it began: there is nothing to tell.
            assert [one for one, _ in entries] in ([], ["interrupted"], ["failed"]), where
        state = self.agent.state
        left = [path.name for path in state.rglob("*")
                if "partial" in path.name or path.suffix == ".tmp"]
        assert not left, f"{where}: {left}"
        assert len(list((state / "handler-store" / "sources").iterdir())) == 3, where
        assert len(list((state / ".backups").iterdir())) <= 10, where
        assert len(list((state / "handlers").iterdir())) == 1, where


@pytest.fixture(name="place")
def fixture_place(start_agent, tmp_path):
    with orphans_come_here() as await_no_orphans:
        yield Place(start_agent(), await_no_orphans, tmp_path / "trace")


@pytest.mark.sample
@pytest.mark.parametrize("whose", ["store", "loop", "spawner"])
@pytest.mark.parametrize("action", ["deploy", "rollback"])
def test_a_kill_at_some_calls_leaves_one_whole_version(place, action, whose):
    reached = sum(place.kill_in(action, whose, *point) for point in SAMPLE[whose])
    assert reached >= len(SAMPLE[whose]) // 2


@pytest.mark.long
@pytest.mark.parametrize("whose", ["store", "loop", "spawner"])
@pytest.mark.parametrize("action", ["deploy", "rollback"])
def test_a_kill_at_any_call_leaves_one_whole_version(place, action, whose, tell):
    calls = {"store": DURABLE, "loop": ON_LOOP, "spawner": OF_SPAWNER}[whose]
    points = 0
    for call in calls:
        missed = 0
        for number in range(1, POINTS_MAX):
            reached = place.kill_in(action, whose, call, number)
            points += reached
            missed = 0 if reached else missed + 1
            if missed == MISSED_MAX:
                break
        tell(f"{action}, {whose}: killed at {points} calls up to {call}")
    assert points > MINIMUM[whose]
