"""A log of changes, against real system calls: strace kills the process before each, or fails it.

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
CHANGES = 120
SAMPLE = (("write", 9), ("write", 60), ("fdatasync", 1), ("fdatasync", 30), ("fsync", 2),
          ("renameat", 1), ("renameat", 2), ("unlinkat", 1), ("unlinkat", 2))
MINIMUM = 100


def driver(folder, action, *strace):
    """Runs the driver, perhaps below strace; its completed process."""
    # The leak sanitizer cannot work in a process that is traced already.
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    program = BUILD / "tests" / "support" / "store-driver"
    return subprocess.run([*strace, str(program), str(folder), action], env=environment,
                          capture_output=True, text=True, timeout=60, check=False)


def check(folder, promised, where):
    """What is there is whole, nothing is damaged, and no promise is broken."""
    found = driver(folder, "check")
    assert found.returncode == 0, where + found.stdout + found.stderr
    sequence, state, damages = found.stdout.split()
    assert (state, damages) == ("whole", "0"), where + found.stderr
    assert int(sequence) >= promised, f"{where}: {sequence} of {promised}"


def promised_by(output):
    """The last change that was said to be durable."""
    lines = [line.split()[1] for line in output.splitlines() if line.startswith("durable ")]
    return int(lines[-1]) if lines else 0


def live_under(call, fault, number, folder):
    """One life with a fault, and one after it; True: the call was reached."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    trace = folder.with_suffix(".trace")
    done = driver(folder, "live", "strace", "-f", "-o", str(trace),
                  *options(call, fault, number))
    reached = was_reached(trace)
    where = f"{call} {number} {fault}: {done.stdout[-80:]}{done.stderr}"
    promised = promised_by(done.stdout)
    if not reached:
        assert promised == CHANGES, where
    check(folder, promised, where)
    after = driver(folder, "live")
    assert after.returncode == 0, where + after.stdout[-80:] + after.stderr
    check(folder, promised_by(after.stdout), where)
    assert promised_by(after.stdout) >= promised + CHANGES, where
    assert not list(folder.glob("*.partial")), where
    return reached


@pytest.mark.sample
def test_a_kill_or_an_error_at_some_calls_breaks_no_promise(tmp_path):
    reached = 0
    for call, number in SAMPLE:
        reached += live_under(call, KILL, number, tmp_path / "log")
        if call != "write":
            reached += live_under(call, "error=EIO", number, tmp_path / "log")
    assert reached >= len(SAMPLE)


@pytest.mark.long
@pytest.mark.parametrize("fault", [KILL, "error=ENOSPC", "error=EIO", "error=EROFS"])
def test_a_fault_at_any_call_breaks_no_promise(tmp_path, fault, tell):
    def attempt(call, number, folder):
        return live_under(call, fault, number, folder)

    points = 0
    for call in DURABLE:
        # With write() the threads wake each other, too: it may end a life, but must not fail.
        if call == "write" and fault != KILL:
            continue
        # Before main() begins, an error is the loader's affair.
        is_early = call in ("openat", "close") and fault.startswith("error")
        points += each_point(call, attempt, tmp_path / "log", tell, first=12 if is_early else 1)
        tell(f"store, {fault}: {points} calls up to {call}")
    assert points > MINIMUM
