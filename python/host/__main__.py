"""The host of one handler module in Python: python3 -I -B HOSTDIR, see docs/host-protocol.md.

The agent's end of the protocol is descriptor 3, the module's source descriptor 4.
"""

import sys

import serving

# The module shall neither find the host's files by name, nor have its own mistaken for them.
del sys.path[0]
for name in ("channel", "codec", "failure", "loading", "serving"):
    del sys.modules[name]

serving.serve(protocol_fd=3, source_fd=4)
