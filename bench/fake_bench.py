"""What the tests of several parts have in place of servers and measurements."""

import contextlib
import types

from server import Unusable


def peers(*names):
    return [types.SimpleNamespace(name=name) for name in names]


class FakeBench:
    """Notes who was asked for what: (measurement, server or peer, the other arguments). The server
    "absent" does not start; `broken` is what fails, (measurement, server)."""

    def __init__(self, broken=None, found=None):
        self.asked, self.broken = [], broken
        self.found = found or {"rate": 1.0}

    @contextlib.contextmanager
    def start(self, peer):
        if peer.name == "absent":
            raise Unusable("it ended at once")
        yield types.SimpleNamespace(peer=peer)

    def __getattr__(self, what):
        def measurement(asked, *arguments):
            name = asked.name if hasattr(asked, "name") else asked.peer.name
            self.asked.append((what, name, *arguments))
            if (what, name) == self.broken:
                raise Unusable("too much")
            return dict(self.found)
        return measurement

    def names(self):
        return [name for _, name, *_ in self.asked]
