"""Speaks to pifleet-spawner as the agent does (src/sandbox/protocol.h), for tests."""

import array
import fcntl
import os
import socket
import struct

VERSION = 1
START, KILL = 2, 3
NAMES = {1: "welcome", 5: "started", 6: "failed", 7: "ended", 8: "usage"}
WALLS = ("no_new_privs seccomp uid capabilities mount_view pid_namespace network_namespace "
         "landlock rlimits cgroup_kill cgroup_memory cgroup_pids cgroup_cpu").split()


def specification(name, argv, shared=(), memory=0, tasks=0):
    """A sealed memfd that says what is to run (src/sandbox/specification.h)."""
    lists = [argv, [], shared, [], [], [], [], []]
    texts = b"".join(text.encode() + b"\0" for text in [name, *sum(map(list, lists), [])])
    header = struct.pack("=8sQQQQIIIIII8H", b"pf-spec1", memory, 0, 0, 0, 0, 0, tasks, 0, 0,
                         len(texts), *map(len, lists))
    fd = os.memfd_create("specification", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, header + texts)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS,
                fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


class SpawnerClient:
    """A conversation; closing it ends all programs."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(60)
        self.socket.connect(path)

    def close(self):
        self.socket.close()

    def send(self, kind, payload, descriptors=()):
        header = struct.pack("=4H", VERSION, kind, len(payload), len(descriptors))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        self.socket.sendmsg([header, payload], rights if descriptors else [])

    def receive(self):
        """(kind, the payload's numbers, each as it stands in the protocol)"""
        message = self.socket.recv(4096)
        kind = NAMES[struct.unpack_from("=4H", message)[1]]
        form = {"welcome": "=4I", "started": "=QIIiI", "failed": "=QiI", "ended": "=QiIIIQQ",
                "usage": "=5QIIQ"}[kind]
        return kind, struct.unpack_from(form, message, 8)

    def start(self, number, output, *arguments, **options):
        fd = specification(*arguments, **options)
        self.send(START, struct.pack("=QII", number, 0b10, 0), [fd, output])
        os.close(fd)

    def run(self, number, *arguments, **options):
        """What the program printed, and the numbers of its end."""
        read, write = os.pipe()
        self.start(number, write, *arguments, **options)
        os.close(write)
        kind, values = self.receive()
        assert kind == "started", (kind, values)
        with os.fdopen(read) as output:
            printed = output.read()
        kind, values = self.receive()
        assert kind == "ended", (kind, values)
        return printed, values


def wall_names(bits):
    return [name for number, name in enumerate(WALLS) if bits & 1 << number]
