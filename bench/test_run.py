"""What run.py does with servers that cannot be measured."""

import contextlib
import types
import unittest

import run
from server import Unusable

OPTIONS = types.SimpleNamespace(only=("1x1", "idle", "start"), idle_rounds=1, window_seconds=1)


class FakeBench:
    """Measures what it is told to; `broken` names what fails, for the peer `weak`."""

    def __init__(self, broken):
        self.broken = broken

    def _measured(self, what, peer):
        if peer.name == "weak" and what == self.broken:
            raise Unusable(f"{what} was too much")
        return {"seconds": 1.0}

    @contextlib.contextmanager
    def start(self, peer):
        self._measured("server", peer)
        yield types.SimpleNamespace(peer=peer)

    def load(self, server, *_):
        return self._measured("load", server.peer)

    def idle(self, peer):
        return self._measured("idle", peer)

    def start_up(self, peer):
        return self._measured("start_up", peer)


def round_with(broken):
    chosen = {name: types.SimpleNamespace(name=name, protocol="json", has_pins=True) for name in ("agent", "weak")}
    return run.measure_round(FakeBench(broken), OPTIONS, chosen, 0)


class Unmeasured(unittest.TestCase):
    def test_what_one_peer_cannot_do_empties_only_its_own_row(self):
        for broken, case in (("load", "1x1"), ("server", "1x1"), ("idle", "idle"),
                             ("start_up", "start")):
            with self.subTest(broken):
                figures = round_with(broken)
                for other in ("1x1", "idle", "start"):
                    self.assertEqual(figures[other]["agent"], {"seconds": 1.0})
                    expected = {"unusable": f"{broken} was too much"} if other == case \
                        else {"seconds": 1.0}
                    self.assertEqual(figures[other]["weak"], expected)

    def test_a_tool_that_ends_badly_counts_as_that_too(self):
        def measurement():
            raise BrokenPipeError("flood")

        self.assertEqual(run.figures_or_reason(measurement), {"unusable": "flood"})


if __name__ == "__main__":
    unittest.main()
