"""tools/demo.py: what `./dev demo` shows, and that its server ends with it, whatever ends it."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest

import database
import harness
import identity
import store

pytestmark = [database.sqlite_only, identity.builtin_only,
              pytest.mark.skipif(store.KIND != "file", reason="of one directory")]


@pytest.fixture
def demo(tmp_path):
    """Starts demos on one directory; what is left of them and their servers is killed."""
    samples = tmp_path / "samples"
    samples.mkdir()
    (samples / "disk.raw").write_bytes(b"disk" * 5000)
    started = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, harness.ROOT / "tools/demo.py", "--binary", harness.BINARY,
             "--images", samples, "--directory", tmp_path / "data", *arguments],
            text=True, **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options})
        started.append(process)
        return process

    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # or somebody else holds the port
            held.enter_context(socket.create_server(("127.0.0.1", 9292), reuse_port=True))
        yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def served(process):
    """What the demo said until it serves on, and the id of its server's process."""
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Serving;"):
            break
    assert said[-1].startswith("Serving;"), "".join(said)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return "".join(said), int(children)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_locked(tmp_path):
    with (tmp_path / "data.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def test_it_shares_and_ends_without_a_way_to_go_on(demo):
    process = demo("--exit")
    said, _ = process.communicate(timeout=60 * harness.PATIENCE)
    assert process.returncode == 0, said
    assert "4 of 4 pairs shared" in said
    assert "To go on" not in said and "OS_CLIENT_CONFIG_FILE" not in said
    assert re.search(r"SUCCESS +100 %\n", said)
    assert not re.search(r"(INIT|RUNNING) +100 %", said)


def test_what_it_made_is_of_accounts_in_clouds_yaml(demo, tmp_path):
    process = demo()
    said, _ = served(process)
    host, port = re.search(r"ready http://(.*):(\d+)\n", said).groups()
    server = harness.Server(tmp_path / "data")
    server.address = (host, int(port))
    owner, pending = server.client("demo"), server.client("alt")
    [image_id] = owner.listed()
    assert owner.show(image_id)["name"] == "disk"
    assert f"openstack --os-cloud alt image set --accept {image_id}\n" in said
    assert pending.listed("visibility=shared&member_status=pending") == [image_id]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_its_server(demo, tmp_path, ending):
    process = demo(preexec_fn=lambda: signal.signal(ending, signal.SIG_DFL))
    _, server = served(process)
    assert is_locked(tmp_path)
    process.send_signal(ending)
    assert process.wait(60 * harness.PATIENCE) == 0
    assert not is_alive(server)
    assert not is_locked(tmp_path)


def test_ctrl_c_before_all_is_shown_ends_it_quietly(demo, tmp_path):
    process = demo(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert process.stdout.readline().startswith("$ ")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60 * harness.PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said
    harness.wait_until(lambda: not is_locked(tmp_path), what="the end of the server")


def test_it_ends_quietly_when_nobody_reads_it_any_more(demo, tmp_path):
    process = demo(stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60 * harness.PATIENCE) == 130
    process.stderr.close()
    harness.wait_until(lambda: not is_locked(tmp_path), what="the end of the server")


def test_sigterm_ends_a_background_job_of_a_script(demo):
    """Where a shell has it ignore SIGINT, it went on."""
    process = demo(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    _, server = served(process)
    process.terminate()
    assert process.wait(60 * harness.PATIENCE) == 0
    assert not is_alive(server)


def test_nohup_keeps_it(demo):
    process = demo(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    _, server = served(process)
    ignored = re.search(r"^SigIgn:\s*(\w+)$",
                        pathlib.Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    assert int(ignored.group(1), 16) & 1 << (signal.SIGHUP - 1)
    process.terminate()
    assert process.wait(60 * harness.PATIENCE) == 0
    assert not is_alive(server)


def test_a_server_whose_demo_was_killed_ends_and_holds_the_directory_until_then(demo, tmp_path):
    process = demo()
    _, server = served(process)
    os.kill(server, signal.SIGSTOP)
    try:
        process.kill()
        process.wait()
        assert is_locked(tmp_path)
        second = demo()
        said, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"another demo serves {tmp_path / 'data'}" in said
        assert (tmp_path / "data/vitrine.db").exists()
    finally:
        os.kill(server, signal.SIGCONT)
    harness.wait_until(lambda: not is_alive(server), what="the end of the server")
    harness.wait_until(lambda: not is_locked(tmp_path), what="the end of its last thread")
