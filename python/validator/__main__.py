"""The validator of handler modules written in Python: source on stdin, verdict on stdout."""

import sys

HERE = __file__.rpartition("/")[0] or "."
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from command import main  # noqa: E402 only now it can be found

sys.exit(main(sys.argv[1:], HERE))
