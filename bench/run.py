#!/usr/bin/python3
"""Measures the agent side by side with redis-server, a thread-per-connection
Python server and a bare echo, and by itself under its supervisor, the broker side by side
with mosquitto, and says whether the targets are reached.

See README.md beside this file for the method. Exit status: 0 all measured
targets are reached, 1 some are not, 2 it could not measure."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import broker
import broker_report
import deployed_report
import device
import device_report
import kept
import kept_report
import paced
import paced_report
import report
import secured
import secured_report
import web
import web_report
from deployed import Deployed
from guarded import Programs
from measure import (Bench, Setting, allow_many_descriptors, figures_or_reason, side_by_side,
                     turned, two_cores)
from server import PYTHON, Unusable, check_usable, peers

ROOT = Path(__file__).resolve().parent.parent
DEVICE_PARTS = ("kill", "idle-cpu", "pwm")
DEPLOYED_PARTS = ("deploy", "call", "modules", "host-memory")
# What has rounds of its own, by its name in the JSON: PARTS and measure_rounds(setting), and what
# reports it.
SECTIONS = {"kept": (kept, kept_report), "secured": (secured, secured_report),
            "paced": (paced, paced_report), "web": (web, web_report)}
SECTION_PARTS = tuple(part for section, _ in SECTIONS.values() for part in section.PARTS)
# "broker" is all parts of the broker.
PARTS = (*report.CASES, "idle", "start", *DEVICE_PARTS, *DEPLOYED_PARTS, *broker.PARTS, "broker",
         *SECTION_PARTS)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measures the agent beside Redis, Python and bare echo, "
                                         "and the broker beside mosquitto.")
    parser.add_argument("--quick", action="store_true",
                        help="3 short rounds (five minutes) instead of 9 (half an hour)")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="NAME",
                        help=f"measure only this: {', '.join(PARTS)}; may be repeated")
    parser.add_argument("--peers", default="agent,redis,python,echo",
                        help="which servers, separated by commas (%(default)s)")
    parser.add_argument("--broker", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more broker; {port} in its command stands for the port on "
                             "127.0.0.1, {directory} for one of its own; may be repeated")
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument("--kills", type=int, help="how often an agent is killed in each case (200)")
    parser.add_argument("--build", type=Path, default=ROOT / "build",
                        help="build directory (build)")
    parser.add_argument("--agent", type=Path, help="the agent's program (BUILD/pifleet-agent)")
    parser.add_argument("--json", type=Path, help="where the figures go (BUILD/bench.json)")
    options = parser.parse_args()
    if options.rounds is not None and not 1 <= options.rounds <= 99:
        parser.error("--rounds: 1 to 99")
    options.broker_rounds = options.rounds or (2 if options.quick else 5)
    options.memory_rounds = min(options.broker_rounds, 1 if options.quick else 2)
    options.broker_seconds = 0.5 if options.quick else 1.5
    options.rounds = options.rounds or (3 if options.quick else 9)
    options.window_seconds = 0.8 if options.quick else 2.5
    if options.kills is not None and not 1 <= options.kills <= 10000:
        parser.error("--kills: 1 to 10000")
    options.kills = options.kills or (25 if options.quick else 200)
    options.idle_seconds = 10 if options.quick else 60
    options.signal_seconds = 2 if options.quick else 10
    options.deploys = 8 if options.quick else 40
    options.call_rounds = 2 if options.quick else 5
    options.call_seconds = 0.3 if options.quick else 1.5
    options.many_starts = 1 if options.quick else 3
    # Memory hardly varies from run to run, and each costs seconds.
    options.idle_rounds = min(options.rounds, 1 if options.quick else 3)
    options.only = set(options.only or PARTS)
    if "broker" in options.only:
        options.only.update(broker.PARTS)
    options.agent = options.agent or options.build / "pifleet-agent"
    options.json = options.json or options.build / "bench.json"
    return options


def first_line(*command):
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "unknown"
    return (run.stdout or run.stderr).partition("\n")[0]


def describe_machine(options, chosen, cores):
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            model = line.partition(":")[2].strip()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    machine = {
        "machine": f"{model}, {os.cpu_count()} cores, {memory:.1f} GiB"
                   + (", virtual" if " hypervisor" in Path("/proc/cpuinfo").read_text() else ""),
        "kernel": platform.release(),
        "cores": f"server on {cores[0]}, generator on {cores[1]}",
        "load": f"{os.getloadavg()[0]:.2f} before it began",
        "rounds": f"{options.rounds}, windows of {options.window_seconds} s, "
                  + time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    if "redis" in chosen:
        machine["redis"] = first_line(chosen["redis"].program, "--version").partition(" sha")[0]
    if "python" in chosen:
        machine["python"] = first_line(PYTHON, "--version")
    if set(broker.PARTS) & options.only:
        machine["brokers"] = (
            f"{options.broker_rounds} rounds, windows of {options.broker_seconds} s, mosquitto "
            + first_line("/usr/sbin/mosquitto", "-h").rpartition(" ")[2])
    if set(web.PARTS) & options.only:
        machine["nginx"] = first_line("/usr/sbin/nginx", "-v").rpartition("/")[2]
    return machine


def say(words):
    """Progress: one line that is overwritten on a terminal, kept in a log."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)
    elif words:
        print(words, file=sys.stderr, flush=True)


def measure_load(bench, options, chosen, number):
    """One round: all servers run, each case asks one after the other."""
    def measurement(case):
        connections, in_flight, _ = report.CASES[case]
        pin = case == "pin"

        def measured(server):
            if pin and not server.peer.has_pins:
                return None
            return bench.load(server, "pin" if pin else server.peer.protocol, connections,
                              in_flight, options.window_seconds)
        return measured
    return side_by_side(bench.start, chosen.values(), number,
                        {case: measurement(case) for case in report.CASES if case in options.only})


def measure_round(bench, options, chosen, number):
    figures = {}
    if any(case in options.only for case in report.CASES):
        figures = measure_load(bench, options, chosen, number)
    if "start" in options.only:
        figures["start"] = {peer.name: figures_or_reason(bench.start_up, peer)
                            for peer in turned(chosen.values(), number)}
    if "idle" in options.only and number < options.idle_rounds:
        figures["idle"] = {peer.name: figures_or_reason(bench.idle, peer)
                           for peer in turned(chosen.values(), number)}
    return figures


def measure_device(options, directory):
    """What is measured of the agent alone, once and not in rounds."""
    parts = {}
    programs = None
    if {"kill", "idle-cpu"} & options.only:
        programs = Programs(options.build, options.agent, directory)
    if "kill" in options.only:
        parts["kill"] = {}
        for name, (ballast_mb, hogs) in device.KILLS.items():
            say(f"kill -9: {name}")
            parts["kill"][name] = figures_or_reason(
                device.kills, programs, ballast_mb, hogs, options.kills)
    if "idle-cpu" in options.only:
        say("CPU when idle")
        parts["idle-cpu"] = {"agent and supervisor": figures_or_reason(
            device.idle_cpu, programs, options.idle_seconds)}
    if "pwm" in options.only:
        say("software PWM")
        parts["pwm"] = {name: figures_or_reason(device.jitter, options.build, hertz, channels,
                                                options.signal_seconds)
                        for name, (hertz, channels) in device.SIGNALS.items()}
    return parts


def deployed_parts(deployed, options):
    """Modules that are deployed at run time; the peer is the in-process server."""
    measurements = {
        "deploy": ("deploy to live", lambda: deployed.deploys(options.deploys)),
        "call": ("calls into modules",
                 lambda: deployed.calls(options.call_rounds, options.call_seconds)),
        "modules": ("100 modules at start", lambda: deployed.starts(options.many_starts)),
        "host-memory": ("memory of hosts", deployed.memory),
    }
    parts = {}
    for part in DEPLOYED_PARTS:
        if part in options.only:
            words, measurement = measurements[part]
            say(words)
            found = figures_or_reason(measurement)
            parts[part] = {"agent": found} if "unusable" in found else found
    return parts


def measure_rounds(options, chosen, cores, directory):
    bench = Bench(options.build, *cores, directory, repetitions=5 * options.rounds)
    rounds = []
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        rounds.append(measure_round(bench, options, chosen, number))
    return rounds


def measure_brokers(options, cores, directory):
    """The rounds, and the names of the brokers."""
    if not set(broker.PARTS) & options.only:
        return [], []
    chosen = broker.brokers(options.build, options.broker)
    bench = Bench(options.build, *cores, directory, repetitions=3 * options.broker_rounds)
    rounds = broker.measure_rounds(
        broker.BrokerBench(bench, options.build, options.broker_seconds), options, chosen,
        broker.bare(options.build), say)
    return rounds, list(chosen)


def measure(options):
    known = peers(options.build, options.agent)
    names = options.peers.split(",")
    if not set(names) <= set(known):
        raise Unusable(f"--peers knows {', '.join(known)}")
    chosen = {name: known[name] for name in known if name in names}
    in_rounds = bool({*report.CASES, "idle", "start"} & options.only)
    if in_rounds:
        for peer in chosen.values():
            check_usable(peer)
    if in_rounds or {*broker.PARTS, *SECTION_PARTS} & options.only:
        allow_many_descriptors()
    cores = two_cores()
    machine = describe_machine(options, chosen, cores)
    anywhere = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="pifleet-bench-") as directory:
        rounds = measure_rounds(options, chosen, cores, directory) if in_rounds else []
        brokers = measure_brokers(options, cores, directory)
        setting = Setting(options, cores, directory, say)
        sections = {name: section.measure_rounds(setting)
                    for name, (section, _) in SECTIONS.items()}
        modules = {}
        if set(DEPLOYED_PARTS) & options.only:
            bench = Bench(options.build, *cores, directory, repetitions=0)
            modules = deployed_parts(Deployed(bench, options.agent), options)
    os.sched_setaffinity(0, anywhere)
    with tempfile.TemporaryDirectory(prefix="pifleet-bench-", dir="/dev/shm") as directory:
        parts = measure_device(options, directory)
    say("")
    return machine, rounds, list(chosen), parts, modules, brokers, sections


def main():
    options = parse_arguments()
    # As by Ctrl-C: what was started is ended, busy loops not least.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        machine, rounds, names, parts, modules, brokers, sections = measure(options)
        other_verdicts = [*device_report.verdicts(parts), *deployed_report.verdicts(modules),
                          *broker_report.verdicts(brokers[0]),
                          *(verdict for name, (_, told) in SECTIONS.items()
                            for verdict in told.verdicts(sections[name]))]
        found = [*report.verdicts(rounds), *other_verdicts]
        options.json.write_text(json.dumps(
            {"machine": machine, "targets": found, "medians": report.summary(rounds),
             "device": parts, "deployed": modules, "rounds": rounds,
             "brokers": {"medians": report.summary(brokers[0]), "rounds": brokers[0]},
             **{name: {"medians": report.summary(found_there), "rounds": found_there}
                for name, found_there in sections.items()}},
            indent=1) + "\n")
    except (Unusable, OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    tables = [*device_report.tables(parts), *deployed_report.tables(modules),
              *broker_report.tables(*brokers),
              *(line for name, (_, told) in SECTIONS.items()
                for line in told.tables(sections[name]))]
    print(report.text(machine, rounds, names, tables, other_verdicts))
    print(f"All figures: {options.json}")
    return 0 if all(verdict["reached"] for verdict in found) else 1


if __name__ == "__main__":
    sys.exit(main())
