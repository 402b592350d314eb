"""What a service that holds keys shows of its memory: no core dump, and no key in what one has."""

import contextlib
import os
import pathlib
import re
import resource
import signal

import pytest

from keyring import new_key
from test_copy import copied
from test_encryption import SECRET_TEXT, data_keys, encrypted, master_keys

pytestmark = pytest.mark.heavy  # sanitizers keep what is freed, and leave no core dumps


@contextlib.contextmanager
def core_dumps():
    """Processes that are started meanwhile may leave one, of any size."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        yield before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def dies_with_a_dump(server):
    """Ends the server as a failed CHECK does; whether the kernel wrote a core dump."""
    process = server.process
    os.kill(process.pid, signal.SIGABRT)
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert server.wait() == -signal.SIGABRT
    return ended.si_code == os.CLD_DUMPED


def dumped_memory(pid):
    """The memory that a core dump takes, mapping by mapping: all but what is marked `dd`."""
    mappings, flags = [], []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (r?)", line):
            mappings.append((int(found[1], 16), int(found[2], 16), bool(found[3])))
        elif line.startswith("VmFlags:"):
            flags.append(line.split()[1:])
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for (begin, end, readable), marks in zip(mappings, flags, strict=True):
            if not readable or "dd" in marks:
                continue
            with contextlib.suppress(OSError, ValueError):  # of the kernel's own, such as vvar
                memory.seek(begin)
                yield memory.read(end - begin)


def may_look_into(pid):
    try:
        pathlib.Path(f"/proc/{pid}/mem").open("rb").close()
    except PermissionError:
        return False
    return True


def test_who_holds_keys_leaves_no_core_dump(fresh_server, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where a kernel may write it
    with core_dumps() as limit:
        without, holder = fresh_server(), fresh_server()
    demo = holder.client("demo")
    image, _ = encrypted(demo, SECRET_TEXT * 5000, new_key(holder, "k", demo))
    assert demo.download(image["id"]).status == 200
    assert not dies_with_a_dump(holder)
    assert not list(tmp_path.glob("core*"))
    holder.start()
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    if limit != 0 and not pattern.startswith("|"):  # this machine writes dumps, but for ours
        assert dies_with_a_dump(without), "one without keys leaves one"
        without.start()


def test_no_key_is_in_memory_that_can_be_dumped(fresh_server):
    server = fresh_server()
    pid = server.process.pid
    demo = server.client("demo")
    key = new_key(server, "k", demo)
    image, source = encrypted(demo, SECRET_TEXT * 5000, key)
    for _ in range(5):
        assert demo.download(image["id"], Range="bytes=1-100000").status == 206
    assert copied(demo, source, cmk_id="ims/default")["status"] == "SUCCESS"
    hidden = {**master_keys(server), **data_keys(server)}
    assert len(hidden) == 4
    if not may_look_into(pid):
        assert os.geteuid() != 0, "only root may"
        pytest.skip("nobody but root can look into it")
    seen = 0
    for content in dumped_memory(pid):
        seen += len(content)
        for name, value in hidden.items():
            assert value not in content, f"key {name}"
            assert value.hex().encode() not in content, f"key {name} in hex"
    assert seen > 1 << 20, "it looked at the memory"
    assert any(key.encode() in content for content in dumped_memory(pid)), "ids are no secrets"
