"""The conversation with the agent: load once, then one call after the other."""

import atexit
import faulthandler
import gc
import os
import sys

import _signal

from channel import SEND_MAX, Channel, ProtocolError
from codec import BadReply, decode, encode
from failure import Source, describe
from loading import (describe_command, find_commands, first_line, judge_self_test, read_source,
                     run_module)

PROTOCOL = 1
EXIT_PROTOCOL = 65
EXIT_SOFTWARE = 70


def serve(protocol_fd, source_fd):
    """Never returns: the process ends when the agent closes its end."""
    channel = Channel(protocol_fd)
    # A process that the module forks is not the agent's partner, wherever it returns to.
    os.register_at_fork(after_in_child=channel.close)
    _prepare_process()
    status = 0
    try:
        _converse(channel, source_fd)
    except OSError:
        pass  # the agent is gone, or the module closed what leads to it
    except ProtocolError as error:
        print(f"pifleet host: the agent does not keep to the protocol: {error}", file=sys.stderr)
        status = EXIT_PROTOCOL
    except BaseException as error:  # such as a signal handler's of the module, between two calls
        print(f"pifleet host: ended by {error!r}", file=sys.stderr)
        status = EXIT_SOFTWARE
    _end(channel, status)


def _prepare_process():
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    # Ctrl-C on a terminal is for the agent, which ends its hosts; not an exception in a call.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    faulthandler.enable()  # a crash tells the module's line in its log


def _converse(channel, source_fd):
    order = _order(channel, "load")
    if order is None:
        return
    host = Host(order["load"]["module"])
    answer = host.load(source_fd, order["load"]["self_test"])
    host.flush()
    channel.send(answer)
    if host.commands is None:
        return
    # What is there now stays: the collector need not look at it again, and its pages stay shared
    # with whatever the module forks.
    gc.collect()
    gc.freeze()
    while (order := _order(channel, "call")) is not None:
        answer = host.call(order["call"], order["command"], order["request"])
        host.flush()
        channel.send(answer)


# What an order holds, and of which type.
_MEMBERS = {"load": {"module": str, "self_test": bool}, "call": {"command": str, "request": dict}}
_VALUES = {"load": dict, "call": int}


def _order(channel, kind):
    """The next order of the agent, which is to be of this kind; None: there is no more."""
    text = channel.receive()
    if text is None:
        return None
    try:
        order = decode(text)
        members = order[kind] if kind == "load" else order
        if type(order[kind]) is not _VALUES[kind]:
            raise TypeError(kind)
        for name, wanted in _MEMBERS[kind].items():
            if type(members[name]) is not wanted:
                raise TypeError(name)
        return order
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError(f"no {kind}: {error!r}") from error


class Host:
    """One module and its commands. Answers are frames, ready to be sent."""

    def __init__(self, filename):
        self.commands = None  # {name: function}; None: nothing is loaded
        self._source = Source(filename, b"")
        self._runner = None  # asyncio's, once a command needs it
        self._streams = tuple(filter(None, (sys.stdout, sys.stderr)))

    def load(self, source_fd, self_test):
        try:
            text = read_source(source_fd)
            self._source = Source(self._source.filename, text)
            module = run_module(self._source, text)
            commands = find_commands(module)
            verdict = self._self_test(module) if self_test else None
            listed = [{"name": name, "description": describe_command(function)}
                      for name, function in commands.items()]
            self.commands = commands
            return encode({"loaded": {"protocol": PROTOCOL, "commands": listed,
                                      "self_test": verdict}})
        except BaseException as error:
            return encode({"load_failed": describe(error, self._source)})

    def call(self, number, command, request):
        function = None
        try:
            function = self.commands[command]
            result = function(request)
            if hasattr(result, "__await__"):
                result = self._wait_for(result)
            if not isinstance(result, dict):
                raise BadReply(f"the result is of type {type(result).__name__}, not dict")
            answer = b'{"reply":%d,"result":%b}' % (number, encode(result))
            if len(answer) > SEND_MAX:
                raise BadReply(f"the result is {len(answer)} bytes of JSON; {SEND_MAX} at most")
            return answer
        except BaseException as error:
            return encode({"reply": number,
                           "error": describe(error, self._source, first_line(function))})

    def flush(self):
        """What the module printed without an end of line is to arrive as well."""
        for stream in self._streams:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # the module closed it

    def _self_test(self, module):
        """None where the module has none."""
        function = getattr(module, "self_test", None)
        if function is None:
            return None
        try:
            result = function()
            if hasattr(result, "__await__"):
                result = self._wait_for(result)
            return judge_self_test(result)
        except BaseException as error:
            told = describe(error, self._source, first_line(function))
            return f"{told['type']}: {told['message']} (line {told['line']})"

    def _wait_for(self, awaitable):
        """One event loop for all calls: what a module keeps of asyncio's stays usable."""
        import asyncio

        async def result_of():
            return await awaitable

        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(result_of())


def _end(channel, status):
    """Lets the module tidy up, and ends whatever threads it has left running."""
    channel.close()
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
