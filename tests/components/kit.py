"""What the scripts of this folder have in common."""

import argparse
import contextlib
import os
import random
import select
import socket
import subprocess
import time


# With all names below it this machine (RFC 6761): BUCKET.localhost needs no DNS.
DOMAIN = "localhost"

READY_SECONDS = 60
# At the end of a configuration of gunicorn that `start_gunicorn` is to start.
WHEN_READY = """

def when_ready(server):  # the application is loaded, connections are taken
    import os
    os.write(int(os.environ["READY_PIPE"]), b"ready")
"""


def free_port():
    """A port of the loopback that nobody has. None of those that the kernel gives to connections:
    another test's could take it before the program that it is for."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("a hundred ports of the loopback are all taken")


def wait_for_port(process, port, log, seconds=30):
    """Until the process takes connections; with the end of its log when it never does."""
    deadline = time.monotonic() + seconds
    while not takes_connections(port):
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
        raise RuntimeError(f"{process.args[0]} did not come up:\n{log.read_text()[-2000:]}")


def takes_connections(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def start_gunicorn(programs, home, log_file, **environment):
    """Starts the application that gunicorn.conf.py in `home` names, in a session of its own;
    returns the process once it takes connections. It writes into `log_file`."""
    pipe, ready = os.pipe()
    with log_file.open("ab") as log:
        # No arguments: an application may take them for its own.
        process = subprocess.Popen(
            [programs / "gunicorn"], cwd=home, start_new_session=True, pass_fds=[ready],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "READY_PIPE": str(ready), **environment})
    os.close(ready)
    with os.fdopen(pipe, "rb", buffering=0) as stream:
        if not select.select([stream], [], [], READY_SECONDS)[0] or not stream.read(1):
            raise RuntimeError(f"{home} did not start:\n{log_file.read_text()[-4000:]}")
    return process


def run_within(description, start, *flags):
    """Runs the command of the command line inside `start(options)`, a context manager that gives
    the variables to add to its environment; the command's status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("verb", choices=["run"])
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("no command")
    with start(options) as variables:
        return subprocess.run(options.command, check=False,
                              env={**os.environ, **variables}).returncode
