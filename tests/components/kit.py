"""What the scripts of this folder have in common."""

import argparse
import os
import socket
import subprocess


def free_port():
    """A port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


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
