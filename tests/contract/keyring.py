"""`vitrine keys` on the service of a server, which may run meanwhile."""

import os
import subprocess

import harness


def keys(server, *arguments):
    done = subprocess.run(
        [str(harness.BINARY), "keys", *arguments, "--standalone", str(server.directory),
         *server.settings],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **server.environment})
    return done.returncode, done.stdout + done.stderr


def new_key(server, name, *grantees):
    status, said = keys(server, "create", name)
    assert status == 0, said
    for client in grantees:
        assert keys(server, "grant", name, "--project", client.project_id) == (0, "")
    return said.strip()
