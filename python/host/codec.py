"""Strict JSON, without what the json package costs: 1.2 MB of an idle host's memory.

Its C halves are used directly; they do all the work there, too.
"""

try:
    from _json import encode_basestring, make_encoder, make_scanner
except ImportError:
    make_encoder = None

DEPTH_MAX = 31  # of a result: with the frame around it, 32
PATH_SHOWN = 4
INTEGER_MAX = 2**53  # beyond, readers that know doubles only would change it in silence


class BadReply(Exception):
    """A value cannot travel as JSON."""

    def __init__(self, what):
        super().__init__(what)
        self.path = []  # to the member, from the inside

    def __str__(self):
        where = "".join(f"[{_shown(key)}]" for key in self.path[:-PATH_SHOWN - 1:-1])
        return f"{self.args[0]}, in {where}" if where else self.args[0]


def _shown(key):
    return key if isinstance(key, int) else repr(str(key)[:64])


class _ScannerSettings:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name):
        raise ValueError(f"{name} is not JSON")


def _refuse(value):
    raise BadReply(f"{type(value).__name__} cannot be written as JSON")


if make_encoder:
    _scan = make_scanner(_ScannerSettings)
    # markers, default, encoder, indent, separators, sort_keys, skipkeys, allow_nan
    _encode = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)
else:
    import json

    _scan = json.JSONDecoder().raw_decode
    _encode = json.JSONEncoder(check_circular=False, ensure_ascii=False, allow_nan=False,
                               separators=(",", ":"), default=_refuse).iterencode


def decode(text):
    """The value of a text of the agent's, who sends one value without blanks around it.
    ValueError where it is none."""
    try:
        value, end = _scan(text, 0)
    except (StopIteration, SystemError):  # the latter: the json package, which would tell, is absent
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError("more than one value")
    return value


def encode(value):
    """JSON as bytes. BadReply names the member that has no place in it."""
    try:
        _check(value, DEPTH_MAX)
        return "".join(_encode(value, 0)).encode()
    except BadReply:
        raise
    except UnicodeEncodeError:
        raise BadReply("a text is not valid Unicode: it holds half a surrogate pair") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadReply(str(error)) from error


def _check(value, depth):
    """What the encoder lets through although not every reader takes it as it is meant."""
    if isinstance(value, str):
        if "\0" in value:
            raise BadReply("a text holds a NUL character")
    elif isinstance(value, int):
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise BadReply("an integer is beyond 2**53: send it as text")
    elif isinstance(value, float):
        if value - value != 0:
            raise BadReply(f"{value} is not a number in JSON")
    elif isinstance(value, dict):
        _check_members(value.items(), depth, True)
    elif isinstance(value, (list, tuple)):
        _check_members(enumerate(value), depth, False)
    elif value is not None:
        _refuse(value)


def _check_members(members, depth, named):
    if not depth:
        raise BadReply(f"nested deeper than {DEPTH_MAX} levels, or contains itself")
    key = None
    try:
        for key, member in members:
            if named and isinstance(key, str) and "\0" in key:
                raise BadReply("a name holds a NUL character")
            _check(member, depth - 1)
    except BadReply as error:
        error.path.append(key)
        raise
