#!/usr/bin/python3
"""mqtt-pair PORT: two clients that behave, one asking the other over and over.

Ends with its input, and prints how many messages went, and how many milliseconds the
slowest and the middle one took. Exits 1 if one did not arrive, or not in its turn. A
process of its own, so that what a test does meanwhile delays it as little as others."""

import json
import select
import sys
import time

from mqtt_bytes import LEAVE, PUBACK, PUBLISH, publish, session, subscriber

PAUSE = 0.005


def one(sender, receiver, number):
    """Seconds from the publication to the arrival."""
    payload = str(number).encode()
    began = time.monotonic()
    sender.say(publish("pair", payload, qos=1, number=number % 65535 + 1))
    content = receiver.expect(PUBLISH)
    took = time.monotonic() - began
    assert content.endswith(payload) and content[8:9] == b"\0", content
    receiver.say(b"\x40\x02" + content[6:8])
    sender.expect(PUBACK)
    return took


def main():
    port, took = int(sys.argv[1]), []
    with subscriber(port, "pair-receiver", "pair", qos=1) as receiver, \
            session(port, "pair-sender") as sender:
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], PAUSE)[0]:
            took.append(one(sender, receiver, len(took)))
        sender.say(LEAVE)
        receiver.say(LEAVE)
    took.sort()
    print(json.dumps({"count": len(took), "worst_ms": took[-1] * 1000,
                      "median_ms": took[len(took) // 2] * 1000}))


if __name__ == "__main__":
    main()
