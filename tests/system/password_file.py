"""Password files as mosquitto_passwd(1) of version 2.0 writes them; Debian has that program only
beside the broker, which would then run on the machine of whoever tests."""

import base64
import hashlib
import os

ITERATIONS = 101


def write_password_file(path, **users):
    path.write_text("".join(f"{name}:{hash_of(password)}\n" for name, password in users.items()))


def hash_of(password):
    salt = os.urandom(12)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"
