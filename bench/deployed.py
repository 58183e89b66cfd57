"""Modules that are deployed at run time: how soon they are live, what a call costs, how long
many take at start, how much memory a host needs. Plain figures in base units.

The agent and an in-process server (peers/module-server.py) run on one core, side by side, and
are asked in turn; hosts and checks of the agent inherit its core."""

import contextlib
import json
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from statistics import median

import modules
from device import TICKS, others, quantile
from report import difference, middle, reasons_of
from server import HERE, PYTHON, Peer, Server, Unusable

MANY = 100
IN_FLIGHT = 16
PATIENCE_SECONDS = 60
# Long enough to see hosts that nobody has called.
LAZY_CALM_SECONDS = 0.3
# Their names in the report, and the rows of protocol.c.
CALLS = {"built-in": "call-builtin", "python": "call-python", "c": "call-c"}


class Client:
    """A connection on which one request follows the reply to the other."""

    def __init__(self, server):
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port),
                                               timeout=PATIENCE_SECONDS)
        self.stream = self.socket.makefile("rwb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.stream.close()
        self.socket.close()

    def send(self, command, **arguments):
        self.stream.write(json.dumps({"command": command, **arguments}).encode() + b"\n")

    def receive(self):
        self.stream.flush()
        line = self.stream.readline()
        if not line.endswith(b"\n"):
            raise Unusable(self.server.words("closed the connection instead of a reply"))
        return json.loads(line)

    def ask(self, command, **arguments):
        self.send(command, **arguments)
        return self.receive()

    def must(self, command, **arguments):
        reply = self.ask(command, **arguments)
        if not reply.get("success", True):
            raise Unusable(f"{self.server.peer.name} refused {command}: {reply.get('error')}")
        return reply

    def deploy(self, filename, code):
        return self.must("update_handler", filename=filename, code=code)


def agent_peer(program, config, state=None):
    """An agent with this section `handlers`. `state`: where its files are; None: nowhere yet."""
    def arguments(port, directory):
        path = Path(directory) / "agent.yaml"
        path.write_text(json.dumps({
            "access": {"mode": "open"}, "gpio": {"backend": "simulated"}, "handlers": config,
            "mqtt": {"port": 0},
            "http": {"port": 0},
            "command": {"host": "127.0.0.1", "port": port,
                        "socket": str(Path(directory) / "s")}}))
        return ["--config", str(path), "--state-dir", str(state or Path(directory) / "state")]
    return Peer("agent", "json", '{"command":"ping"}', program, arguments)


def in_process_peer():
    return Peer("in-process", "json", '{"command":"ping"}', PYTHON, lambda port, directory: [
        str(HERE / "peers" / "module-server.py"), str(port), directory])


# --- processes ------------------------------------------------------------------------------


def children(process):
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def descendants(process):
    """It and all that came of it and still is."""
    found = [process]
    for parent in found:
        found += children(parent)
    return found


def sandbox_of(server, host):
    """The processes of a module: its host, and what the spawner has put before it."""
    for spawner in children(server):
        for first in children(spawner):
            if host in descendants(first):
                return descendants(first)
    raise Unusable("the agent names a host that is none of its processes")


def cpu_seconds(process):
    """Of it and all that came of it: those that are gone have left their time to who waited
    for them. In ticks, so for sums only."""
    ticks = 0
    for one in descendants(process):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(int(word) for word in words[11:15])
    return ticks / TICKS


def private_bytes(rollup):
    """Of the text of a smaps_rollup."""
    return 1024 * sum(int(line.split()[1]) for line in rollup.splitlines()
                      if line.startswith("Private_"))


def process_private(process):
    return private_bytes(Path(f"/proc/{process}/smaps_rollup").read_text())


def memory_figures(server, host, reported):
    """`reported`: what the agent says, which counts where the kernel does not tell us."""
    try:
        own = process_private(host)
        return {"private": sum(process_private(one) for one in sandbox_of(server, host)),
                "host": own, "reported": reported}
    except PermissionError:
        return {"private": reported, "reported": reported}


# --- what is measured -----------------------------------------------------------------------


class Deployed:
    """The programs and the two cores; `bench` is a measure.Bench."""

    def __init__(self, bench, agent):
        self.bench = bench
        self.agent = agent
        self.directory = Path(tempfile.mkdtemp(prefix="deployed-", dir=bench.directory))
        # By default, the agent would make the user's own folder for recordings.
        self.config = {"shared_dirs": []}

    def _pair(self, stack):
        """Agent and in-process server, both running on the one core."""
        return [stack.enter_context(self.bench.start(peer))
                for peer in (agent_peer(self.agent, self.config), in_process_peer())]

    def deploys(self, count):
        """Seconds from just before the request with the code of a new version to the reply of
        the command that only this version has."""
        took = {"agent": [], "in-process": []}
        spent = dict.fromkeys(took, 0.0)
        figures = {}
        with others(figures), contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(server)) for server in self._pair(stack)]
            # One more than counts: with a first version nothing is replaced.
            for version in range(count + 1):
                code, command = modules.camera(version)
                for client in clients[::-1 if version % 2 else 1]:
                    name, pid = client.server.peer.name, client.server.pid
                    cpu = cpu_seconds(pid)
                    began = time.monotonic()
                    client.deploy(modules.CAMERA, code)
                    client.must(command)
                    if version > 0:
                        took[name].append(time.monotonic() - began)
                        spent[name] += cpu_seconds(pid) - cpu
        lines = len(code.splitlines())
        ratios = [ours / theirs for ours, theirs in zip(took["agent"], took["in-process"])]
        return {name: {**figures, "lines": lines, "cpu": spent[name] / count, "seconds": seconds,
                       **({"ratios": ratios} if name == "agent" else {}),
                       **spread(seconds)} for name, seconds in took.items()}

    def calls(self, rounds, window_seconds):
        """Latencies of the same request to built-in commands and to modules, in turn."""
        figures = {}
        found = []
        with others(figures), contextlib.ExitStack() as stack:
            agent, in_process = self._pair(stack)
            asked = [(agent, name, name) for name in CALLS]
            asked += [(in_process, f"in-process {name}", name) for name in ("built-in", "python")]
            for server in (agent, in_process):
                with Client(server) as client:
                    client.deploy("echo_python.py", modules.ECHO_PYTHON)
            unusable = self._deploy_c(agent)
            for number in range(rounds):
                turn = number % len(asked)
                found.append({"call": {
                    who: unusable if unusable and name == "c" else self._call(server, name,
                                                                             window_seconds)
                    for server, who, name in asked[turn:] + asked[:turn]}})
        return {who: {**figures, **of_calls(found, who)} for _, who, _ in asked}

    @staticmethod
    def _deploy_c(agent):
        """None, or why not, as the figures of a row: a machine may have no compiler."""
        if not shutil.which("cc"):
            return {"unusable": "there is no C compiler: apt-get install gcc libc6-dev"}
        with Client(agent) as client:
            client.deploy("echo_c.c", modules.ECHO_C)
        return None

    def _call(self, server, name, window_seconds):
        raw = self.bench.raw_load(server, CALLS[name], 1, 1, window_seconds)
        return {metric: raw[f"{metric}_ns"] / 1e9 for metric in ("p50", "p99", "max")}

    def prepare_many(self):
        """A state directory with many modules in place, as the agent itself leaves it."""
        state = self.directory / "many"
        cores = {self.bench.server_cpu, self.bench.generator_cpu}
        # So that the agent notes the names of their commands, and needs no host to know them.
        peer = agent_peer(self.agent, {**self.config, "start": "lazy"}, state)
        with Server(peer, cores, cores, self.bench.directory) as server, Client(server) as client:
            for number in range(MANY + IN_FLIGHT):
                if number < MANY:
                    filename, code, _ = modules.numbered(number)
                    client.send("update_handler", filename=filename, code=code)
                if number >= IN_FLIGHT:
                    reply = client.receive()
                    if not reply["success"]:
                        raise Unusable(f"the agent refused a small module: {reply['error']}")
        return state

    def many(self, state, start):
        """exec to all modules answering, or (`start` lazy) to the first reply of one."""
        lazy = start == "lazy"
        figures = {}
        copy = self.directory / f"many-{time.monotonic_ns()}"
        shutil.copytree(state, copy)
        peer = agent_peer(self.agent, {**self.config, "start": start}, copy)
        with others(figures), self.bench.start(peer) as server, Client(server) as client:
            self._await_first(client)
            figures["first"] = time.monotonic() - server.began
            if lazy:
                time.sleep(LAZY_CALM_SECONDS)
            else:
                self._await_loaded(client)
                for number in range(MANY):
                    if client.must(modules.numbered(number)[2])["number"] != number:
                        raise Unusable(f"module {number} does not answer as it should")
                figures["seconds"] = time.monotonic() - server.began
            figures["processes"] = len(descendants(server.pid))
            figures["cpu"] = cpu_seconds(server.pid)
        return figures

    def starts(self, count):
        """Both kinds of start, in turn, with the same modules."""
        state = self.prepare_many()
        runs = {"now": [], "lazy": []}
        for number in range(count):
            for start in list(runs)[::-1 if number % 2 else 1]:
                runs[start].append(self.many(state, start))
        return {start: of_starts(found) for start, found in runs.items()}

    @staticmethod
    def _await_first(client):
        """Its command is not there before the agent has read what is in place."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not client.ask(modules.numbered(0)[2]).get("number") == 0:
            if time.monotonic() > end:
                raise Unusable(client.server.words("does not serve its modules"))
            time.sleep(0.005)

    @staticmethod
    def _await_loaded(client):
        end = time.monotonic() + PATIENCE_SECONDS
        while client.must("get_status")["handlers_loaded"] < MANY:
            if time.monotonic() > end:
                raise Unusable(client.server.words("does not load its modules"))
            time.sleep(0.01)

    def memory(self):
        """Private memory of hosts that have answered once and then idle, with what the spawner
        keeps beside each."""
        texts = {"python": ("echo_python.py", modules.ECHO_PYTHON)}
        if shutil.which("cc"):
            texts["c"] = ("echo_c.c", modules.ECHO_C)
        found = {}
        with self.bench.start(agent_peer(self.agent, self.config)) as server, \
                Client(server) as client:
            for name, (filename, code) in texts.items():
                client.deploy(filename, code)
                client.must(f"echo_{name}", text="hello")
            for name, (filename, _) in texts.items():
                stats = client.must("handler_stats", filename=filename)["handlers"][filename]
                found[name] = memory_figures(server.pid, stats["pid"], stats["memory_private"])
        return found


def of_calls(rounds, who):
    """Medians over the rounds; by how much more a handler takes than the built-in command of
    its server did in the same round."""
    reasons = reasons_of(rounds, "call", who)
    if reasons:
        return {"unusable": reasons[0]}
    base = "in-process built-in" if who.startswith("in-process") else "built-in"
    found = {metric: middle(rounds, "call", who, metric) for metric in ("p50", "p99")}
    if who != base:
        more, lowest, highest = difference(rounds, "call", "p50", who, base)
        found.update(more_p50=more, more_lowest=lowest, more_highest=highest,
                     more_p99=difference(rounds, "call", "p99", who, base)[0])
    return {**found, "rounds": [figures["call"][who] for figures in rounds]}


def of_starts(runs):
    """Medians over the runs, and the extremes of what is judged."""
    found = {key: median(run[key] for run in runs) for key in runs[0]}
    if "seconds" in found:
        seconds = [run["seconds"] for run in runs]
        found.update(seconds_min=min(seconds), seconds_max=max(seconds))
    return {"modules": MANY, **found, "runs": runs}


def spread(values):
    ordered = sorted(values)
    return {"min": ordered[0], "p50": quantile(ordered, 0.5), "p90": quantile(ordered, 0.9),
            "max": ordered[-1]}
