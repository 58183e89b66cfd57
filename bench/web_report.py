"""Tables and verdicts of web.py's figures."""

from report import (aligned, cell, cpu_text, disturbed_lines, measured_cases, rate_text, ratio,
                    reason_lines, share_text, spread_text, time_text, unmeasured_verdicts)
from web import CASES, FILE_BYTES, OURS, THEIRS


def verdicts(rounds):
    """Nobody has said how much is enough: only what could not be measured is missed."""
    return unmeasured_verdicts(rounds, OURS)


def tables(rounds):
    cases = measured_cases(rounds, CASES)
    if not cases:
        return []
    rows = [["", "requests/s", "p50", "p99", "CPU/request", f"of {THEIRS}'s", "server CPU",
             "generator CPU"]]
    for case in cases:
        for name in (OURS, THEIRS):
            rows.append([
                f"{name}: {CASES[case][2]}", cell(rounds, case, name, "rate", rate_text),
                cell(rounds, case, name, "p50", time_text),
                cell(rounds, case, name, "p99", time_text),
                cell(rounds, case, name, "cpu_per_request", cpu_text),
                spread_text(ratio(rounds, case, "cpu_per_request", name, THEIRS))
                if name == OURS else "",
                cell(rounds, case, name, "server_share", share_text),
                cell(rounds, case, name, "generator_share", share_text)])
    return [f"HTTP: a file of {FILE_BYTES:,} bytes, one request of each connection in flight",
            *aligned(rows), *reason_lines(rounds, cases, [OURS, THEIRS]),
            *disturbed_lines(rounds), ""]
