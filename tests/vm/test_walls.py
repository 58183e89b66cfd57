"""The spawner's walls on a kernel that has all of them: Landlock, control groups of version 2."""

import os
import pathlib
import subprocess

import pytest

from agent_process import BUILD

GROUPS = pathlib.Path("/sys/fs/cgroup")
CONTROLLERS = "+memory +pids +cpu"


@pytest.fixture
def group():
    """A control group to divide, as systemd would hand it over."""
    (GROUPS / "cgroup.subtree_control").write_text(CONTROLLERS)
    group = GROUPS / "pifleet-walls"
    group.mkdir(exist_ok=True)
    yield group
    for folder in sorted(group.glob("*/"), reverse=True):
        if folder.is_dir():
            folder.rmdir()
    group.rmdir()


def run(name, group):
    """A unit test's program, with a spawner that has `group`."""
    environment = dict(os.environ, PIFLEET_SPAWNER=str(BUILD / "pifleet-spawner"),
                       PIFLEET_PROBE=str(BUILD / "tests/support/hostile-probe"),
                       PIFLEET_TEST_CGROUP=str(group))
    return subprocess.run([BUILD / "tests" / name], env=environment, check=False, text=True,
                          capture_output=True, timeout=500)


@pytest.mark.parametrize("name", ["test-sandbox-walls", "test-sandbox-lifecycle"])
def test_no_wall_is_missing_and_none_gives_way(group, name):
    result = run(name, group)
    failures = [line for line in (result.stdout + result.stderr).splitlines()
                if not line.startswith("ok ") and " sandbox: walls" not in line]
    assert result.returncode == 0, "\n".join(failures)
    everything = ("no_new_privs seccomp uid capabilities mount_view pid_namespace "
                  "network_namespace landlock rlimits cgroup_kill cgroup_memory cgroup_pids "
                  "cgroup_cpu")
    assert f"walls: {everything}\n" in result.stderr
    # The groups of programs are gone, each with its last process.
    assert [folder.name for folder in group.iterdir() if folder.is_dir()] == ["spawner"]
