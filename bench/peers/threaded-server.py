#!/usr/bin/python3
"""The command server most devices in the field run: a thread for each client,
json.loads in, json.dumps out. The agent is measured against it.

It is given every advantage that costs a line: Nagle's delay off, a long accept
queue, no logging."""

import json
import socketserver
import sys
import time

STARTED = time.monotonic()


def ping(_request):
    return {"success": True, "type": "pong", "uptime": time.monotonic() - STARTED}


def echo(request):
    rest = {key: value for key, value in request.items() if key not in ("command", "token")}
    return {"success": True, "type": "echo", "echo": rest}


PINS = {}


def led(state):
    """As little as there can be behind such a command: a variable."""
    def command(request):
        PINS[request["pin"]] = state
        return {"success": True, "type": f"led_{state}", "pin": request["pin"], "state": state}
    return command


COMMANDS = {"ping": ping, "echo": echo, "led_on": led("on"), "led_off": led("off")}


def failure(code, sentence):
    return {"success": False, "type": "error", "code": code, "error": sentence}


def answer(line):
    try:
        request = json.loads(line)
    except ValueError as error:
        return failure("BAD_JSON", f"not JSON: {error}")
    if not isinstance(request, dict) or not isinstance(request.get("command"), str):
        return failure("BAD_REQUEST", "expected an object with a 'command'")
    command = COMMANDS.get(request["command"])
    if command is None:
        return failure("NO_METHOD", f"no command '{request['command']}'")
    reply = command(request)
    if "id" in request:
        reply["id"] = request["id"]
    return reply


class Client(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    timeout = 30  # an idle connection is closed, as the wire wants it

    def handle(self):
        try:
            for line in self.rfile:
                if line.isspace():
                    continue
                reply = answer(line)
                reply["timestamp"] = time.time()
                self.wfile.write(json.dumps(reply).encode() + b"\n")
        except OSError:
            pass  # the client left, or fell asleep


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 4096


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Client) as server:
        server.serve_forever()
