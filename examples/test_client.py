#!/usr/bin/python3
"""test_client.py - ten commands against a running agent; the JSON of each, there and back.

usage: test_client.py [--host H] [--port P] [--token T]

Nothing here knows pifleet but the lines it sends: copy it, and write your own client. A request
is a line of JSON with "command" and its arguments, a reply is a line of JSON with "success",
"type" and "timestamp". The agent of `./dev run` listens on 127.0.0.1:3000.
"""

import argparse
import json
import socket
import sys

GREETER = '''
greeted = 0


def greet(request):
    """Greets by name, and counts."""
    global greeted
    greeted += 1
    return {"success": True, "greeting": f"Hello, {request.get('name', 'world')}!",
            "greeted": greeted}


COMMAND_HANDLERS = {"greet": greet}
'''

REQUESTS = [
    ("is it there?", {"command": "ping"}),
    ("it repeats what it is told", {"command": "echo", "message": "hello", "list": [1, 2.5, None]}),
    ("what is it?", {"command": "get_status"}),
    ("what does it run on?", {"command": "system_info"}),
    ("how busy is the machine?", {"command": "get_metrics"}),
    ("light on", {"command": "led_on", "pin": 17}),
    ("what does the pin do?", {"command": "gpio_status", "pin": 17}),
    ("a command of our own, sent as source", {"command": "update_handler",
                                              "filename": "greeter.py", "code": GREETER}),
    ("and used at once, on the same connection", {"command": "greet", "name": "Pi"}),
    ("a command that nobody has", {"command": "make_coffee"}),
]


class Client:
    """One connection: requests are answered in their order."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.lines = self.socket.makefile("rb")

    def call(self, request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        line = self.lines.readline()
        if not line:
            raise ConnectionError("the agent closed the connection")
        return json.loads(line)


def walk(client):
    """Sends all requests; how many were answered as they should be."""
    as_expected = 0
    for number, (title, request) in enumerate(REQUESTS, 1):
        print(f"\n--- {number}. {title}")
        print(">", json.dumps(request))
        reply = client.call(request)
        print("<", json.dumps(reply, indent=2))
        unknown = request["command"] == "make_coffee"
        as_expected += reply["success"] is not unknown
    return as_expected


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--token", help="where the agent wants one: pifleet setup makes it")
    options = parser.parse_args()
    try:
        client = Client(options.host, options.port)
        if options.token:
            reply = client.call({"command": "auth", "token": options.token})
            if not reply["success"]:
                print(f"The agent says: {reply['error']}", file=sys.stderr)
                return 1
        as_expected = walk(client)
    except OSError as error:
        print(f"No agent at {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    print(f"\n{as_expected} of {len(REQUESTS)} commands were answered as expected "
          "(the last one by an error, which says how to find those that exist).")
    return 0 if as_expected == len(REQUESTS) else 1


if __name__ == "__main__":
    sys.exit(main())
