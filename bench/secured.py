"""What TLS and WebSockets cost a broker: handshakes, full and resumed, beside a bare server of the
same library; memory of each of many idle connections. Plain figures in base units.

The servers of a round run at the same time on one core, and bench-mqtt asks them in turn from the
other; for memory each has a process of its own."""

import json
import subprocess
from pathlib import Path

from broker import (AT_ONCE, BARE, IDLE_CONNECTIONS, OURS, THEIRS, Broker, BrokerBench,
                    mosquitto_program)
from measure import Bench, figures_or_reason, side_by_side, turned
from server import Peer, Unusable, tool

PARTS = ("tls-connects", "idle-transports")
HANDSHAKES = {"tls full": "full", "tls resumed": "resumed"}
TRANSPORTS = {"idle tcp": "tcp", "idle tls": "tls", "idle ws": "ws", "idle wss": "wss"}
# mosquitto takes 0.2 s to let a WebSocket in.
FEW_CONNECTIONS = 300
# The shape of a listener: TLS, WebSocket.
KINDS = {"tcp": (False, False), "tls": (True, False), "ws": (False, True), "wss": (True, True)}


class Identity:
    """A certificate of P-256 and its key, which all servers show."""

    def __init__(self, directory):
        self.certificate = Path(directory) / "certificate.pem"
        self.key = Path(directory) / "key.pem"
        try:
            run = subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                 "-keyout", str(self.key), "-out", str(self.certificate)],
                capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise Unusable("openssl is missing: apt-get install openssl") from error
        if run.returncode != 0:
            raise Unusable(f"openssl: {run.stderr.strip()}")


def broker_peer(program, kind, identity):
    """Ours, with one listener of that kind."""
    tls, websocket = KINDS[kind]

    def arguments(port, directory):
        path = Path(directory) / "broker.yaml"
        listener = {"protocol": "http" if websocket else "mqtt", "host": "127.0.0.1", "port": port}
        if tls:
            listener.update(certificate=str(identity.certificate), key=str(identity.key))
        path.write_text(json.dumps({"listeners": [listener]}))
        return ["-c", str(path)]
    return Peer(OURS, "mqtt", None, program, arguments)


def mosquitto_peer(program, kind, identity):
    """The same of mosquitto."""
    tls, websocket = KINDS[kind]

    def arguments(port, directory):
        path = Path(directory) / "mosquitto.conf"
        # As root it would become a user who may not read the certificate. With no other listener
        # than one for WebSockets it does not start.
        lines = ["user root", "allow_anonymous true", "persistence false", "log_dest none",
                 "set_tcp_nodelay true", f"listener 0 {directory}/unused",
                 f"listener {port} 127.0.0.1"]
        if websocket:
            lines.append("protocol websockets")
        if tls:
            lines += [f"certfile {identity.certificate}", f"keyfile {identity.key}"]
        path.write_text("".join(f"{line}\n" for line in lines))
        return ["-c", str(path)]
    return Peer(THEIRS, "mqtt", None, program, arguments)


def bare_peer(build, identity, *words):
    """`words`: lean, where it is asked for memory and not for time."""
    return Peer(BARE, "mqtt", None, tool(build, "bench-tls-connack"),
                lambda port, _: [str(port), str(identity.certificate), str(identity.key), *words])


class AnyServer(Broker):
    """Whatever it speaks: it is there when it accepts."""

    def _asked(self, connection):
        return True


class SecuredBench(BrokerBench):
    """`bench` is a measure.Bench."""

    def start(self, peer):
        return AnyServer(peer, {self.bench.server_cpu}, {self.bench.generator_cpu},
                         self.bench.directory)

    def handshakes(self, server, how):
        found = self.window(server, "connects", "connects", "--at-once", AT_ONCE, "--tls", how)
        wanted = 1 if how == "resumed" else 0
        if "unusable" not in found and found["resumed_share"] != wanted:
            raise Unusable(f"{found['resumed_share']:.0%} of its sessions were resumed")
        return found


def measure_handshakes(bench, peers, number):
    return side_by_side(bench.start, peers, number,
                        {case: lambda server, how=how: bench.handshakes(server, how)
                         for case, how in HANDSHAKES.items()})


def connections_of(peer, kind):
    slow = peer.name == THEIRS and KINDS[kind][1]
    return FEW_CONNECTIONS if slow else IDLE_CONNECTIONS


def measure_idle(bench, peers_of, number):
    """`peers_of`: of a kind of listener."""
    return {case: {peer.name: figures_or_reason(bench.idle, peer, kind,
                                               connections_of(peer, kind))
                   for peer in turned(peers_of(kind), number)}
            for case, kind in TRANSPORTS.items()}


def measure_rounds(setting):
    """The rounds; [] when nothing of this is wanted. `setting` is a measure.Setting."""
    options = setting.options
    if not set(PARTS) & options.only:
        return []
    bench = SecuredBench(Bench(options.build, *setting.cores, setting.directory,
                               repetitions=2 * options.broker_rounds), options.build,
                         options.broker_seconds)
    identity = Identity(setting.directory)
    ours, theirs = tool(options.build, "pifleet-broker"), mosquitto_program()

    def peers_of(kind):
        return [broker_peer(ours, kind, identity), mosquitto_peer(theirs, kind, identity)]

    def idle_peers_of(kind):
        floor = [bare_peer(options.build, identity, "lean")] if kind == "tls" else []
        return [*peers_of(kind), *floor]
    rounds = []
    for number in range(options.broker_rounds):
        setting.say(f"TLS and WebSockets, round {number + 1} of {options.broker_rounds}")
        rounds.append({})
        if "tls-connects" in options.only:
            rounds[-1].update(measure_handshakes(
                bench, [*peers_of("tls"), bare_peer(options.build, identity)], number))
        if "idle-transports" in options.only and number < options.memory_rounds:
            rounds[-1].update(measure_idle(bench, idle_peers_of, number))
    return rounds
