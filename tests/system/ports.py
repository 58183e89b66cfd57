"""Ports for servers that cannot be told to ask the kernel, or whose port a test must know first."""

import collections
import socket

# Few: what looks through the descriptors of all processes goes through these, too.
HELD = 8

_held = collections.deque(maxlen=HELD)


def free_port():
    """One that nobody has, and that nobody is given until eight more are asked for.

    A socket stays bound to it, so that the kernel gives it neither to who asks for any nor to a
    connection on its way out. It does not listen: who connects is refused, and a server with
    SO_REUSEADDR may have it as well (socket(7))."""
    holder = hold_port("127.0.0.1", 0)
    _held.append(holder)
    return holder.getsockname()[1]


def hold_port(host, port):
    """A socket that holds it, as above, until it is closed. OSError: somebody has it."""
    holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, port))
    except OSError:
        holder.close()
        raise
    return holder
