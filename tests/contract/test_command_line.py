"""What the command line tells: of places it may not use, of words it does not know, of itself."""

import re
import subprocess

import pytest

import harness
import store
from database import sqlite_only
from identity import builtin_only


def vitrine(*arguments):
    done = subprocess.run([str(harness.BINARY), *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=60 * harness.PATIENCE)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def loop(tmp_path):
    """A directory that nobody may look into, root neither: a link to itself."""
    path = tmp_path / "loop"
    path.symlink_to(path)
    return path


@pytest.mark.parametrize("command", [
    ("identity", "project", "list"), ("identity", "rotate-keys"), ("quota", "show", "demo"),
    ("blobs", "check")], ids=" ".join)
@pytest.mark.parametrize("named_by", ["--standalone", "--config"])
def test_a_directory_that_may_not_be_looked_into_is_named(tmp_path, loop, command, named_by):
    """std::filesystem threw, and the program ended with a core dump."""
    place = loop
    if named_by == "--config":
        place = tmp_path / "vitrine.toml"
        place.write_text(f'[storage]\ndirectory = "{loop}"\n')
    told = f"vitrine: cannot look into {loop}: Too many levels of symbolic links\n"
    assert vitrine(*command, named_by, place) == (1, "", told)


def test_a_move_from_there_is_refused_in_the_same_words(tmp_path, loop):
    config = tmp_path / "vitrine.toml"
    config.write_text('[database]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n')
    assert vitrine("db", "move", "--standalone", loop, "--config", config) == (
        1, "", f"vitrine: cannot look into {loop}: Too many levels of symbolic links\n")


def test_serve_tells_why_it_may_not_use_a_directory(tmp_path):
    (tmp_path / "data/lock").mkdir(parents=True)
    assert vitrine("serve", "--standalone", tmp_path / "data", "--listen", "127.0.0.1:0") == (
        1, "", f"vitrine: cannot open {tmp_path}/data/lock: Is a directory\n")
    (tmp_path / "other/server-id").mkdir(parents=True)
    assert vitrine("serve", "--standalone", tmp_path / "other", "--listen", "127.0.0.1:0") == (
        1, "", f"vitrine: cannot write {tmp_path}/other/server-id: Is a directory\n")


@sqlite_only
@builtin_only
@pytest.mark.skipif(store.KIND != "file", reason="of what one directory keeps")
def test_all_three_commands_take_the_directory_of_a_configuration(fresh_server, tmp_path):
    server = fresh_server()
    server.client("demo").create_image(b"data")
    config = tmp_path / "vitrine.toml"
    config.write_text(f'[storage]\ndirectory = "{server.directory}"\n')
    assert vitrine("blobs", "check", "--config", config) == (0, "1 blobs compared, 0 wrong\n", "")
    assert vitrine("quota", "show", "demo", "--config", config)[0] == 0
    assert vitrine("identity", "project", "list", "--config", config)[0] == 0
    for command in (("blobs", "check"), ("identity", "project", "list"), ("quota", "show", "demo")):
        assert vitrine(*command) == (1, "", "vitrine: no directory: give --standalone DIR or the "
                                            "key storage.directory\n")


@pytest.mark.parametrize("line, unknown", [
    ("frobnicate", "frobnicate"), ("identity frob", "frob"), ("identity project frob", "frob"),
    ("quota frob", "frob"), ("blobs frob", "frob"), ("db frob", "frob"),
    ("serve --bogus", "--bogus")])
def test_a_word_it_does_not_know_is_named(line, unknown):
    status, said, told = vitrine(*line.split())
    assert (status, said) == (2, "")
    assert told.startswith(f"The following argument was not expected: {unknown}\n")


def test_a_command_that_is_missing_is_asked_for():
    for line in ((), ("identity",), ("quota",)):
        status, said, told = vitrine(*line)
        assert (status, said) == (2, "")
        assert "subcommand is required" in told


def test_help_tells_where_a_command_works_and_what_serve_takes_unless_told():
    for line in ("quota show", "quota set", "quota", "identity", "identity user create",
                 "blobs check"):
        status, said, _ = vitrine(*line.split(), "--help")
        assert status == 0
        assert re.search(r"^ +--standalone TEXT +Directory", said, re.MULTILINE), said
        assert re.search(r"^ +--config TEXT ", said, re.MULTILINE), said
    assert "127.0.0.1:9292" in vitrine("serve", "--help")[1]
