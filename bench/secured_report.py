"""Tables and verdicts of secured.py's figures."""

from statistics import median

from broker import AT_ONCE, BARE, IDLE_CONNECTIONS, OURS, THEIRS
from report import (aligned, bytes_text, cell, cpu_text, disturbed_lines, figures_of,
                    measured_cases, rate_text, ratio, reason_lines, spread_text, time_text,
                    unmeasured_verdicts, verdict_of)
from secured import FEW_CONNECTIONS, HANDSHAKES, TRANSPORTS

IDLE_TLS_BOUND = 12 * 1024
NAMES = (OURS, THEIRS, BARE)


def verdicts(rounds):
    """One dict for each target that was to be measured."""
    result = []
    figures = figures_of(rounds, "idle tls", OURS, "subscribed")
    if figures:
        result.append(verdict_of("an idle TLS connection with one filter", median(figures),
                                 min(figures), max(figures), "<=", IDLE_TLS_BOUND, "bytes"))
    return [*result, *unmeasured_verdicts(rounds, OURS)]


def handshake_table(rounds):
    cases = measured_cases(rounds, HANDSHAKES)
    if not cases:
        return []
    rows = [["", "connects/s", "CPU of each", f"of {BARE}", f"of {THEIRS}", "p50", "p99"]]
    for case in cases:
        for name in NAMES:
            rows.append([f"{name}, {HANDSHAKES[case]}", cell(rounds, case, name, "rate", rate_text),
                         cell(rounds, case, name, "cpu", cpu_text),
                         spread_text(ratio(rounds, case, "cpu", name, BARE)),
                         spread_text(ratio(rounds, case, "cpu", name, THEIRS)),
                         *(cell(rounds, case, name, key, time_text) for key in ("p50", "p99"))])
    return [f"clients that come by TLS and go, {AT_ONCE} at a time, as strangers or with a session "
            f"of before; {BARE}: OpenSSL, and a CONNACK", *aligned(rows),
            *reason_lines(rounds, cases, NAMES), ""]


def idle_table(rounds):
    cases = measured_cases(rounds, TRANSPORTS)
    if not cases:
        return []
    rows = [["", "after CONNACK", "with one filter", f"of {BARE}'s", f"of {THEIRS}'s"]]
    for case in cases:
        for name in NAMES if case == "idle tls" else (OURS, THEIRS):
            rows.append([f"{name}, {TRANSPORTS[case]}",
                         cell(rounds, case, name, "connection", bytes_text),
                         cell(rounds, case, name, "subscribed", bytes_text),
                         spread_text(ratio(rounds, case, "subscribed", name, BARE)),
                         spread_text(ratio(rounds, case, "subscribed", name, THEIRS))])
    return [f"memory of each of {IDLE_CONNECTIONS:,} idle connections; of {FEW_CONNECTIONS} "
            f"WebSockets in {THEIRS}; {BARE}: OpenSSL, and what it needs to answer",
            *aligned(rows), *reason_lines(rounds, cases, NAMES), ""]


def tables(rounds):
    lines = [*handshake_table(rounds), *idle_table(rounds)]
    warning = disturbed_lines(rounds)
    return [*lines, *warning, *([""] if warning else [])]
