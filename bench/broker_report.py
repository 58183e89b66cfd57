"""Tables and verdicts of broker.py's figures."""

from statistics import median

from broker import AT_ONCE, BARE, CALLERS, FLOWS, IDLE_CONNECTIONS, OURS, THEIRS, TOPICS
from report import (aligned, bytes_text, cell, cpu_text, disturbed_lines, figures_of,
                    measured_cases, rate_text, ratio, reason_lines, spread_text, time_text,
                    unmeasured_verdicts, verdict_of)

# Of mosquitto's CPU for a message, in every row that has a goal.
MILESTONE = 0.25
CONNECT_BOUND = 1.25
RPC_BOUNDS = {"rpc 1": 1.0, "rpc 64": 0.5}
# Case, figure, bound, its unit, what it is.
GOALS = (
    ("mqtt-idle", "subscribed", 1024, "bytes", "an idle connection with one filter"),
    ("retained", "topic", 500, "bytes", "a retained topic"),
    ("filters", "filter", 300, "bytes", "a filter"),
    ("filters", "cpu", 2e-6, "seconds", "a publish over 100,000 filters, CPU"),
    ("retained", "fetch_seconds", 0.150, "seconds", "100,000 retained messages to one subscriber"),
)


def goal_verdicts(rounds):
    result, ratios = [], []
    for case, row in FLOWS.items():
        found = ratio(rounds, case, "cpu", OURS, THEIRS)
        if found and row.goal is not None:
            ratios.append(found[0])
            result.append(verdict_of(f"{case}: CPU/message, {OURS} / {THEIRS}", *found, "<=",
                                     row.goal, None))
    if ratios:
        result.insert(0, verdict_of(f"the highest of CPU/message, {OURS} / {THEIRS}: milestone",
                                    max(ratios), min(ratios), max(ratios), "<=", MILESTONE, None))
    return result


def verdicts(rounds):
    """One dict for each target that was measured."""
    result = goal_verdicts(rounds)
    found = ratio(rounds, "connects", "cpu", OURS, BARE)
    if found:
        result.append(verdict_of(f"connects: CPU, {OURS} / {BARE}", *found, "<=", CONNECT_BOUND,
                                 None))
    for case, bound in RPC_BOUNDS.items():
        found = ratio(rounds, case, "p99", OURS, THEIRS)
        if found:
            result.append(verdict_of(f"{case}: p99, {OURS} / {THEIRS}", *found, "<=", bound, None))
    for case, metric, bound, unit, words in GOALS:
        figures = figures_of(rounds, case, OURS, metric)
        if figures:
            result.append(verdict_of(words, median(figures), min(figures), max(figures), "<=",
                                     bound, unit))
    return [*result, *unmeasured_verdicts(rounds, OURS)]


def flow_table(rounds, names):
    cases = measured_cases(rounds, FLOWS)
    rows = [["", "under way", "in a write", *(words for name in names
                                              for words in (f"{name} /s", "CPU of each")),
             *(f"CPU, {name} / {THEIRS}" for name in names if name != THEIRS), "wanted"]]
    for case in cases:
        row = FLOWS[case]
        cells = [row.words, str(row.window), str(row.per_write)]
        for name in names:
            cells += [cell(rounds, case, name, "rate", rate_text),
                      cell(rounds, case, name, "cpu", cpu_text)]
        cells += [spread_text(ratio(rounds, case, "cpu", name, THEIRS))
                  for name in names if name != THEIRS]
        rows.append([*cells, "-" if row.goal is None else f"{row.goal:.2f}"])
    if not cases:
        return []
    return ["messages of 64 bytes; of each publisher so many under way, so many in one write; "
            "deliveries in a second, and the broker's CPU for each", *aligned(rows),
            *reason_lines(rounds, cases, names), ""]


def connect_table(rounds, names):
    names = [*names, BARE]
    rows = [["", "connects/s", "CPU of each", f"of {BARE}", f"of {THEIRS}", "p50", "p99"]]
    for name in names:
        rows.append([name, cell(rounds, "connects", name, "rate", rate_text),
                     cell(rounds, "connects", name, "cpu", cpu_text),
                     spread_text(ratio(rounds, "connects", "cpu", name, BARE)),
                     spread_text(ratio(rounds, "connects", "cpu", name, THEIRS)),
                     *(cell(rounds, "connects", name, key, time_text) for key in ("p50", "p99"))])
    if not measured_cases(rounds, ["connects"]):
        return []
    return [f"clients that come and go, {AT_ONCE} at a time; {BARE}: accepts and answers, and "
            "nothing else", *aligned(rows), *reason_lines(rounds, ["connects"], names), ""]


def call_table(rounds, names):
    cases = measured_cases(rounds, CALLERS)
    rows = [["", "callers", "calls/s", "CPU of each", "p50", "p99", f"p99 of {THEIRS}'s"]]
    for case in cases:
        for name in names:
            rows.append([name, str(CALLERS[case]), cell(rounds, case, name, "rate", rate_text),
                         cell(rounds, case, name, "cpu", cpu_text),
                         *(cell(rounds, case, name, key, time_text) for key in ("p50", "p99")),
                         spread_text(ratio(rounds, case, "p99", name, THEIRS))])
    if not cases:
        return []
    return ["requests with a response topic and their replies, one of each caller under way",
            *aligned(rows), *reason_lines(rounds, cases, names), ""]


def memory_table(rounds, names):
    cases = measured_cases(rounds, ("mqtt-idle", "retained", "filters"))
    columns = (("mqtt-idle", "connection", bytes_text, "idle connection"),
               ("mqtt-idle", "subscribed", bytes_text, "with one filter"),
               ("filters", "filter", bytes_text, "filter"),
               ("filters", "cpu", cpu_text, "CPU of a publish over them"),
               ("retained", "topic", bytes_text, "retained topic"),
               ("retained", "store_cpu", cpu_text, "CPU to retain it"),
               ("retained", "fetch_seconds", time_text, "all to one subscriber"),
               ("retained", "fetch_cpu", cpu_text, "CPU of each"))
    columns = [column for column in columns if column[0] in cases]
    rows = [["", *(words for *_, words in columns)]]
    rows += [[name, *(cell(rounds, case, name, metric, text) for case, metric, text, _ in columns)]
             for name in names]
    if not cases:
        return []
    return [f"memory of each of {IDLE_CONNECTIONS:,} idle connections, of {TOPICS:,} filters and "
            "retained topics", *aligned(rows), *reason_lines(rounds, cases, names), ""]


def tables(rounds, names):
    """`names`: of the brokers, in the order of the columns."""
    lines = [line for table in (flow_table, connect_table, call_table, memory_table)
             for line in table(rounds, names)]
    if not lines:
        return []
    warning = disturbed_lines(rounds)
    return ["BROKERS", "", *lines, *warning, *([""] if warning else [])]
