#!/usr/bin/env python3
"""A throw-away PostgreSQL cluster for tests, on a free port of the loopback.

usage: postgres.py [--durable] run COMMAND...

Runs the command with VITRINE_TEST_ENGINE=postgres and the cluster's URL in
VITRINE_TEST_POSTGRES_URL, then removes the cluster; the status is that of the command. Without
--durable nothing waits for the disk. As root the server runs as the user postgres, since it refuses
to run as root.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import kit

OWNER = "postgres" if os.getuid() == 0 else None  # whom the server runs as, when not as we do
READY_SECONDS = 60
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{home}'
max_connections = 300
shared_buffers = 256MB
fsync = {durable}
full_page_writes = {durable}
synchronous_commit = {durable}
"""


def programs():
    """The folder of the newest server's programs; Debian does not put them on the path."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: float(path.parts[-3]))
    if not found:
        sys.exit("postgres.py: no PostgreSQL server is installed (package postgresql)")
    return found[-1].parent


class Cluster:
    """Starts, stops and kills one server over one data directory. `url` is its first database. A
    standby of another cluster follows that one until it is promoted."""

    def __init__(self, durable=False, standby_of=None):
        # Where any user can get to, which the folders of a build need not be.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-pg-", dir="/var/tmp"))
        self.data = self.home / "data"
        self.log = self.home / "log"
        self.port = kit.free_port()
        self.url = f"postgresql://vitrine@127.0.0.1:{self.port}/postgres"
        if OWNER:
            shutil.chown(self.home, OWNER, OWNER)
        if standby_of:
            self.run("pg_basebackup", "-D", self.data, "-h", "127.0.0.1", "-p",
                     str(standby_of.port), "-U", "postgres", "-c", "fast", "-R", "--no-sync")
        else:
            self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                     "--locale=C.UTF-8", "--no-sync")
        settings = SETTINGS.format(port=self.port, home=self.home,
                                   durable="on" if durable else "off")
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(settings)
        self.start()
        if standby_of:
            return
        # To drop a database that autovacuum is at work in, its worker must be ended.
        self.sql("CREATE ROLE vitrine LOGIN CREATEDB IN ROLE pg_signal_backend", user="postgres")

    def run(self, program, *arguments):
        owner = {"user": OWNER, "group": OWNER, "extra_groups": []} if OWNER else {}
        subprocess.run([programs() / program, *arguments], check=True, cwd=self.home,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **owner)

    def start(self):
        # Waits until the server takes connections.
        self.run("pg_ctl", "start", "-w", "-t", str(READY_SECONDS), "-D", self.data, "-l", self.log)

    def running(self):
        return (self.data / "postmaster.pid").exists()

    def stop(self, mode="fast"):
        """`fast` ends sessions and stops in order, `immediate` is a crash: recovery follows."""
        self.run("pg_ctl", "stop", "-w", "-t", str(READY_SECONDS), "-D", self.data, "-m", mode)

    def promote(self):
        """Makes a standby take writes."""
        self.run("pg_ctl", "promote", "-w", "-t", str(READY_SECONDS), "-D", self.data)

    def sql(self, text, user="vitrine", database="postgres"):
        """Runs SQL; rows as lists of text."""
        done = subprocess.run(
            ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", database, "-XqAt",
             "-v", "ON_ERROR_STOP=1", "-c", text], check=True, capture_output=True, text=True)
        return [line.split("|") for line in done.stdout.splitlines()]

    def remove(self):
        if self.running():
            self.stop()
        shutil.rmtree(self.home)


@contextlib.contextmanager
def started(options):
    cluster = Cluster(options.durable)
    try:
        yield {"VITRINE_TEST_ENGINE": "postgres", "VITRINE_TEST_POSTGRES_URL": cluster.url}
    finally:
        cluster.remove()


if __name__ == "__main__":
    sys.exit(kit.run_within("Runs a command with a PostgreSQL of its own.", started, "--durable"))
