"""The host of one handler module in Python: python3 -I -B THIS_FILE, see docs/host-protocol.md.

The agent's end of the protocol is descriptor 3, the module's source descriptor 4.
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import serving  # noqa: E402 only now it can be found

# The module shall neither find the host's files by name, nor have its own mistaken for them.
sys.path.remove(HERE)
for name in ("channel", "codec", "failure", "loading", "serving"):
    del sys.modules[name]

serving.serve(protocol_fd=3, source_fd=4)
