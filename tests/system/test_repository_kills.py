"""Modules on the disk, against real system calls: strace kills the process before each, or fails it.

What the fault shim of the unit tests does thousands of times, here with the kernel's own
calls: none that the C library makes behind our back can be forgotten. A sample in
`./dev test`, all calls in `./dev test-long`.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

from system_calls import DURABLE, KILL, each_point, options, was_reached

BUILD = pathlib.Path(os.environ["PIFLEET_BUILD"]) if "PIFLEET_BUILD" in os.environ else None
SAMPLE = (("fsync", 3), ("fsync", 5), ("renameat", 1), ("renameat", 2), ("renameat", 3),
          ("write", 4), ("fdatasync", 1), ("fdatasync", 2), ("linkat", 1))
MINIMUM = 40


def driver(folder, action, *strace):
    """Runs the driver, perhaps below strace; its completed process."""
    # The leak sanitizer cannot work in a process that is traced already.
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    program = BUILD / "tests" / "support" / "repository-driver"
    return subprocess.run([*strace, str(program), str(folder), action], env=environment,
                          capture_output=True, text=True, timeout=60, check=False)


def change_under(call, fault, number, prepared, folder):
    """Updates a copy of the prepared state with one fault; True: the call was reached."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared, folder)
    trace = folder.with_suffix(".trace")
    done = driver(folder, "update", "strace", "-f", "-o", str(trace),
                  *options(call, fault, number))
    reached = was_reached(trace)
    found = driver(folder, "check")
    where = f"{call} {number} {fault}: {done.stderr}{found.stderr}"
    assert found.returncode == 0, where
    state, told = found.stdout.split()
    assert state in ("old", "new"), where
    assert int(told) == (1 if state == "new" else 0), where
    if done.returncode == 0:
        assert state == "new", where
    elif fault != KILL:
        assert state == "old", where
    left = [path.name for path in folder.rglob(".*.partial")]
    assert not left, f"{where}: {left}"
    # The next start has nothing to tell, and the next change works.
    again = driver(folder, "check")
    assert again.returncode == 0 and again.stderr == "", f"{where}: {again.stderr}"
    after = driver(folder, "update")
    assert after.returncode == 0, f"{where}: {after.stderr}"
    return reached


@pytest.fixture(name="prepared")
def fixture_prepared(tmp_path):
    folder = tmp_path / "prepared"
    folder.mkdir()
    made = driver(folder, "prepare")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.sample
def test_a_kill_or_an_error_at_some_calls_leaves_one_whole_version(prepared, tmp_path):
    reached = 0
    for call, number in SAMPLE:
        reached += change_under(call, KILL, number, prepared, tmp_path / "state")
        reached += change_under(call, "error=EIO", number, prepared, tmp_path / "state")
    assert reached >= len(SAMPLE)


@pytest.mark.long
@pytest.mark.parametrize("fault", [KILL, "error=ENOSPC", "error=EIO", "error=EROFS"])
def test_a_fault_at_any_call_leaves_one_whole_version(prepared, tmp_path, fault, tell):
    def attempt(call, number, folder):
        return change_under(call, fault, number, prepared, folder)

    points = 0
    for call in DURABLE:
        # Before main() begins, an error is the loader's affair.
        is_early = call in ("openat", "close") and fault.startswith("error")
        points += each_point(call, attempt, tmp_path / "state", tell, first=12 if is_early else 1)
    tell(f"repository, {fault}: {points} calls")
    assert points > MINIMUM
