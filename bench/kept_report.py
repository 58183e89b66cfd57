"""Tables and verdicts of kept.py's figures."""

from broker import THEIRS
from kept import CASES, DISKS, FSYNC, IN_FLIGHT, INTERVAL, MEMORY, MODES, NAMES
from report import (aligned, cell, cpu_text, disturbed_lines, measured_cases, rate_text, ratio,
                    reason_lines, spread_text, time_text, unmeasured_verdicts, verdict_of)

# Of the rate in memory.
RATE_BOUNDS = {INTERVAL: 0.85, FSYNC: 0.6}
# Of the disk's own 99th percentile.
ACKNOWLEDGEMENT_BOUND = 3.0


def verdicts(rounds):
    """One dict for each target that was to be measured."""
    result = []
    for case, row in CASES.items():
        for mode, bound in RATE_BOUNDS.items():
            found = ratio(rounds, case, "rate", mode, MEMORY)
            if found and (mode != FSYNC or row.in_flight >= IN_FLIGHT):
                result.append(verdict_of(f"{row.words}: messages/s, {mode} / {MEMORY}", *found, ">=",
                                         bound, None))
        for name, disk in DISKS.items():
            found = ratio(rounds, case, "p99", name, disk)
            if found and (row.in_flight == 1 or row.in_flight >= IN_FLIGHT):
                result.append(verdict_of(f"{row.words}: p99 of acknowledgements, {name} / {disk}",
                                         *found, "<=", ACKNOWLEDGEMENT_BOUND, None))
    return [*result, *(verdict for mode in MODES for verdict in unmeasured_verdicts(rounds, mode))]


def case_rows(rounds, case):
    rows = []
    for name in NAMES:
        rows.append([f"{name}: {CASES[case].words}", f"{CASES[case].in_flight:,}",
                     cell(rounds, case, name, "rate", rate_text),
                     spread_text(ratio(rounds, case, "rate", name, MEMORY)),
                     cell(rounds, case, name, "cpu", cpu_text),
                     spread_text(ratio(rounds, case, "cpu", name, THEIRS)),
                     *(cell(rounds, case, name, key, time_text) for key in ("p50", "p99")),
                     spread_text(ratio(rounds, case, "p99", name, DISKS[name]))
                     if name in DISKS else ""])
    for disk in DISKS.values():
        rows.append([f"{disk}: write and fdatasync", "", "", "", "", "",
                     *(cell(rounds, case, disk, key, time_text) for key in ("p50", "p99")), ""])
    return rows


def tables(rounds):
    cases = measured_cases(rounds, CASES)
    if not cases:
        return []
    rows = [["", "in flight", "messages/s", f"of {MEMORY}", "CPU of each", f"of {THEIRS}'s",
             "acknowledged, p50", "p99", "of its disk's"]]
    for case in cases:
        rows += case_rows(rounds, case)
    return ["durability: messages to sessions that last, and retained ones; "
            f"{THEIRS} keeps them in memory", *aligned(rows), *reason_lines(rounds, cases, NAMES),
            *disturbed_lines(rounds), ""]
