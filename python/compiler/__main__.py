"""The checks and the compiler of handler modules in C: see command.py.

Shares with the validator what a verdict looks like, and which paths and programs are no
business of a handler.
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
sys.path[:0] = [one for one in (HERE, HERE + "/../validator") if one not in sys.path]

from compile_command import main  # noqa: E402 only now it can be found

sys.exit(main(sys.argv[1:]))
