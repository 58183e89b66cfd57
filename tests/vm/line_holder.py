"""A program of somebody else that holds a GPIO line, by the kernel's own interface.

As a module: LineHolder(path, offset, consumer, value=None) starts it and returns when
it holds the line, as an output with that value or as an input. close() ends it.
"""

import fcntl
import os
import struct
import subprocess
import sys

# linux/gpio.h: struct gpio_v2_line_request, GPIO_V2_GET_LINE_IOCTL, flags.
REQUEST = struct.Struct("=64I 32s Q I 20x 240s I I 20x i")
ATTRIBUTE = struct.Struct("=I 4x Q Q")
GET_LINE = 3 << 30 | REQUEST.size << 16 | 0xB4 << 8 | 0x07
FLAG_INPUT, FLAG_OUTPUT = 1 << 2, 1 << 3
ATTRIBUTE_OUTPUT_VALUES = 2


def request_line(path, offset, consumer, value):
    """The descriptor of the line. It is free again once that is closed."""
    offsets = [offset] + [0] * 63
    flags = FLAG_INPUT if value is None else FLAG_OUTPUT
    attributes = b"" if value is None else ATTRIBUTE.pack(ATTRIBUTE_OUTPUT_VALUES, value, 1)
    request = bytearray(REQUEST.pack(*offsets, consumer.encode(), flags, bool(attributes),
                                     attributes, 1, 0, -1))
    chip = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(chip, GET_LINE, request)
    finally:
        os.close(chip)
    return REQUEST.unpack(request)[-1]


class LineHolder:
    def __init__(self, path, offset, consumer, value=None):
        words = [str(path), str(offset), consumer] + ([] if value is None else [str(value)])
        self.process = subprocess.Popen([sys.executable, __file__, *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        if self.process.stdout.readline() != b"held\n":
            self.close()
            raise OSError(f"{path} line {offset} could not be held")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.communicate()  # its standard input ends


def main(path, offset, consumer, value=None):
    request_line(path, int(offset), consumer, None if value is None else int(value))
    print("held", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
