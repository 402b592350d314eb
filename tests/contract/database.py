"""What a server keeps its rows in, seen past the server: SQLite, or PostgreSQL.

VITRINE_TEST_ENGINE=postgres gives every directory a database of its own in the cluster of
VITRINE_TEST_POSTGRES_URL (tests/components/postgres.py).
"""

import csv
import hashlib
import json
import os
import sqlite3
import subprocess

import pytest

ENGINE = os.environ.get("VITRINE_TEST_ENGINE", "sqlite")
CLUSTER = os.environ.get("VITRINE_TEST_POSTGRES_URL", "")
sqlite_only = pytest.mark.skipif(ENGINE != "sqlite", reason="of the files of SQLite")


def psql(url, text):
    """Runs SQL; rows as tuples of text, NULL as the empty one."""
    done = subprocess.run(["psql", url, "-XqAt", "--csv", "-v", "ON_ERROR_STOP=1", "-c", text],
                          check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{text}: {done.stderr}"
    return [tuple(row) for row in csv.reader(done.stdout.splitlines(keepends=True))]


def quoted(value):
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


class Database:
    """The database of the server over one directory."""

    def __init__(self, directory):
        self.file = directory / "vitrine.db"
        name = "vitrine_" + hashlib.sha1(str(directory).encode()).hexdigest()[:16]
        self.name = name if ENGINE == "postgres" else None
        self.keyring = str(directory / "keyring")
        self.url = CLUSTER.rsplit("/", 1)[0] + "/" + name if self.name else ""

    def environment(self):
        if not self.name:
            return {}
        return {"VITRINE_DATABASE_URL": self.url, "VITRINE_KEYS_FILE": self.keyring}

    def create(self):
        """Makes it unless it is there; SQLite makes its file itself."""
        if self.name and not psql(CLUSTER, "SELECT 1 FROM pg_database WHERE datname = "
                                  + quoted(self.name)):
            psql(CLUSTER, f"CREATE DATABASE {self.name}")

    def drop(self):
        if self.name:
            psql(CLUSTER, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def rows(self, statement, *values):
        """Rows of a query with `?` for its values, or of a change, which is kept."""
        if self.name:
            parts = statement.split("?")
            text = "".join(part + quoted(value) for part, value in zip(parts, values)) + parts[-1]
            return psql(self.url, text)
        connection = sqlite3.connect(self.file)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def set_properties(self, image_id, **properties):
        """Stores attributes that no request can set; the server must be down."""
        [[text]] = self.rows("SELECT properties FROM images WHERE id = ?", image_id)
        self.rows("UPDATE images SET properties = ? WHERE id = ?",
                  json.dumps({**json.loads(text), **properties}), image_id)

    def refuse(self, verb, table, condition=""):
        """From now on no row of the table, or none that is so, can be INSERTed or DELETEd."""
        head = f"CREATE TRIGGER refuse_{verb} BEFORE {verb} ON {table}"
        when = f"WHEN ({condition})" if condition else ""
        if not self.name:
            self.rows(f"{head} {when} BEGIN SELECT RAISE(ABORT, 'no'); END")
            return
        self.rows("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$ BEGIN RAISE EXCEPTION 'no'; END $$")
        self.rows(f"{head} FOR EACH ROW {when} EXECUTE FUNCTION refuse()")

    def allow(self, verb, table):
        """Takes `refuse` back."""
        self.rows(f"DROP TRIGGER refuse_{verb}" + (f" ON {table}" if self.name else ""))

    def damage(self, table):
        """Overwrites the first page of a table of SQLite; the server must be down."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        [[number]] = self.rows("SELECT rootpage FROM sqlite_master WHERE name = ?", table)
        [[size]] = self.rows("PRAGMA page_size")
        with self.file.open("r+b") as file:
            file.seek((number - 1) * size)
            file.write(b"\xa5" * size)

    def hide(self):
        """Makes it unreachable."""
        if not self.name:
            self.file.rename(self.file.with_suffix(".away"))
            return
        psql(CLUSTER, f"ALTER DATABASE {self.name} WITH ALLOW_CONNECTIONS false")
        self.cut()

    def cut(self):
        """Ends every connection, but for the cluster's own work: that may not be ended."""
        psql(CLUSTER, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
             f"backend_type = 'client backend' AND datname = {quoted(self.name)}")

    def show(self):
        """Takes `hide` back."""
        if not self.name:
            self.file.with_suffix(".away").rename(self.file)
            return
        psql(CLUSTER, f"ALTER DATABASE {self.name} WITH ALLOW_CONNECTIONS true")
