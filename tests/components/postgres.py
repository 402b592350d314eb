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
# On a small disk the log takes little, and none of it lies ready: a commit asks for the next MiB.
LOG_SEGMENT_MIB = 1
SETTINGS_ON_DISK = """
wal_recycle = off
wal_writer_delay = 10s
min_wal_size = 2MB
max_wal_size = 32MB
checkpoint_completion_target = 0
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
    standby of another cluster follows that one until it is promoted. With a disk (small_disk.py)
    the data lies there, the log of what happens does not."""

    def __init__(self, durable=False, standby_of=None, disk=None):
        # Where any user can get to, which the folders of a build need not be.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-pg-", dir="/var/tmp"))
        self.disk = disk
        self.data = (disk.inside if disk else self.home) / "data"
        self.log = self.home / "log"
        self.port = kit.free_port()
        self.url = f"postgresql://vitrine@127.0.0.1:{self.port}/postgres"
        if OWNER and not disk:
            shutil.chown(self.home, OWNER, OWNER)
        if standby_of:
            self.run("pg_basebackup", "-D", self.data, "-h", "127.0.0.1", "-p",
                     str(standby_of.port), "-U", "postgres", "-c", "fast", "-R", "--no-sync")
        else:
            self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                     "--locale=C.UTF-8", "--no-sync",
                     *([f"--wal-segsize={LOG_SEGMENT_MIB}"] if disk else []))
        settings = SETTINGS.format(port=self.port, home=self.home,
                                   durable="on" if durable else "off")
        with self.seen(self.data / "postgresql.conf").open("a") as conf:
            conf.write(settings + (SETTINGS_ON_DISK if disk else ""))
        self.start()
        if standby_of:
            return
        # To drop a database that autovacuum is at work in, its worker must be ended.
        self.sql("CREATE ROLE vitrine LOGIN CREATEDB IN ROLE pg_signal_backend", user="postgres")

    def seen(self, path):
        """The path by which we see what the server sees by this one."""
        return self.disk.outside / path.relative_to(self.disk.inside) if self.disk else path

    def run(self, program, *arguments, check=True):
        command, owner = [programs() / program, *arguments], {}
        if self.disk:
            command = self.disk.within(command, as_root=False)
        elif OWNER:
            owner = {"user": OWNER, "group": OWNER, "extra_groups": []}
        return subprocess.run(command, check=check, cwd=self.home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, **owner)

    def start(self):
        # Waits until the server takes connections.
        self.run("pg_ctl", "start", "-w", "-t", str(READY_SECONDS), "-D", self.data, "-l", self.log)

    def running(self):
        return self.run("pg_ctl", "status", "-D", self.data, check=False).returncode == 0

    def revive(self):
        """Starts it when it has ended, as who looks after it does; true once it answers."""
        with contextlib.suppress(subprocess.CalledProcessError):
            if not self.running():
                self.start()
            self.sql("SELECT 1")
            return True
        return False

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
