"""Bodies that stay in memory: nobody fills it, with a token or without."""

import contextlib
import re
import socket
import time

import pytest

import harness

LIMIT = 1 << 20
SHORT = 16 << 10

GUARDED = [("POST", "/v2/images"), ("POST", "/v1/cloudimages/members"),
           ("DELETE", "/v1/cloudimages/members"), ("PATCH", "/v2/images/x")]


def ask(connection, client, method, path, *lines, body=b""):
    return connection.send(client.head_lines(method, path, *lines) + body).answer()


@pytest.mark.parametrize("method, path", GUARDED)
@pytest.mark.parametrize("length", [SHORT + 1, LIMIT, LIMIT + 1, 10**12])
def test_the_token_is_judged_before_a_long_body_comes(nobody, method, path, length):
    with nobody.raw() as connection:
        assert ask(connection, nobody, method, path, f"Content-Length: {length}").status == 401


@pytest.mark.parametrize("method, path", GUARDED)
def test_a_body_beyond_the_limit_is_too_large_with_a_token_only(demo, method, path):
    with demo.raw() as connection:
        assert ask(connection, demo, method, path, f"Content-Length: {LIMIT + 1}").status == 413


def test_a_path_that_leads_nowhere_takes_no_long_body(nobody):
    with nobody.raw() as connection:
        answer = ask(connection, nobody, "POST", "/v2/images/a/b/c/d", f"Content-Length: {LIMIT}")
        assert answer.status == 404


def test_a_body_in_chunks_is_refused_when_it_grows_long(nobody):
    with nobody.raw() as connection:
        body = b"4001\r\n" + b" " * (SHORT + 1) + b"\r\n"
        answer = ask(connection, nobody, "POST", "/v2/images", "Transfer-Encoding: chunked",
                     body=body)
        assert answer.status == 401
        assert connection.closed()


def test_a_long_body_is_read_and_the_connection_stays_in_step(demo):
    body = b'{"name": "long"' + b" " * LIMIT
    body = body[:LIMIT - 1] + b"}"
    with demo.raw() as connection:
        for _ in range(2):
            answer = ask(connection, demo, "POST", "/v2/images", f"Content-Length: {LIMIT}",
                         body=body)
            assert answer.status == 201
            assert answer.json()["name"] == "long"


def test_what_needs_no_token_takes_short_bodies_only(nobody):
    """Else anybody could take the memory for long bodies with logins that never end."""
    with nobody.raw() as connection:
        answer = ask(connection, nobody, "POST", "/v3/auth/tokens", f"Content-Length: {SHORT + 1}")
        assert answer.status == 413
        assert f"{SHORT} bytes" in answer.text


def test_bodies_without_a_token_take_no_memory(fresh_server):
    """300 connections took 300 MiB, and 4096 may be open."""
    server = fresh_server()
    nobody = server.client()
    before = server.rss_bytes()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(nobody.raw()) for _ in range(100)]
        for connection in connections:
            # All but the last byte: who takes it in, holds it.
            with contextlib.suppress(ConnectionError):
                connection.send(nobody.head_lines("POST", "/v2/images", f"Content-Length: {LIMIT}")
                                + b" " * (LIMIT - 1))
        assert server.rss_bytes() - before < 32 << 20
        assert connections[-1].answer().status == 401


def test_callers_with_a_token_share_64_mib_for_long_bodies(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    lines = (f"Content-Length: {LIMIT}", "Expect: 100-continue")

    def invite(connection):
        connection.send(demo.head_lines("POST", "/v2/images", *lines))
        return connection.stream.readline() == b"HTTP/1.1 100 Continue\r\n"

    def have_arrived():
        text = demo.get("/metrics", token=False).text
        [received] = re.findall(r"^vitrine_received_bytes_total (\S+)$", text, re.MULTILINE)
        return float(received) > 64 * (LIMIT - 1)

    with contextlib.ExitStack() as stack:
        invited = [stack.enter_context(demo.raw()) for _ in range(64)]
        for connection in invited:  # an invitation alone takes a part of the memory
            assert invite(connection)
            assert connection.stream.readline() == b"\r\n"
        for connection in invited:
            connection.send(b"{}" + b" " * (LIMIT - 3))
        harness.wait_until(have_arrived, what="the bodies, all but the last byte of each")
        with demo.raw() as connection:
            answer = ask(connection, demo, "POST", "/v2/images", *lines)
            assert answer.status == 503
            assert answer.headers["Connection"] == "close"
            assert connection.closed()
        demo.create_image()  # a short body has its place
        assert invited[0].send(b" ").answer().status == 201
        with demo.raw() as connection:
            assert invite(connection)


def wait_for_memory(server, before):
    """It is given back. A sanitizer has a memory of its own, and keeps what is freed."""
    if not harness.SANITIZED:
        harness.wait_until(lambda: server.rss_bytes() - before < 64 << 20,
                           what="memory given back")


def test_many_long_bodies_leave_memory_and_time_to_others(fresh_server):
    """60 of them took 1 GiB, which stayed, and another's request waited nine seconds."""
    server = fresh_server()
    demo = server.client("demo")
    before = server.rss_bytes()
    body = b"{" + b",".join(b'"%x":""' % i for i in range(90_000)) + b"}"
    head = demo.head_lines("POST", "/v2/images", f"Content-Length: {len(body)}")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(demo.raw(60)) for _ in range(60)]
        for connection in connections:
            connection.send(head + body[:-1])
        for connection in connections:
            connection.send(body[-1:])
        start = time.monotonic()
        demo.get("/v2/images?limit=1").expect(200)
        assert time.monotonic() - start < 2 * harness.PATIENCE
        assert {connection.answer().status for connection in connections} == {413}
        assert harness.SANITIZED or server.rss_bytes() - before < 250 << 20
    wait_for_memory(server, before)


def test_answers_that_nobody_reads_take_bounded_memory(fresh_server):
    """200 of them took 1.5 GiB, and half of it stayed."""
    server = fresh_server()
    demo = server.client("demo")
    for _ in range(6):
        demo.post("/v2/images", {f"k{i}": "v" * 16_000 for i in range(60)}).expect(201)
    assert len(demo.get("/v2/images").expect(200).body) > 4 << 20
    before = server.rss_bytes()
    request = demo.head_lines("GET", "/v2/images")
    with contextlib.ExitStack() as stack:
        readers = []
        for _ in range(200):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(60)
            reader.connect(server.address)
            reader.sendall(request)
            readers.append(reader)
        statuses = [reader.recv(12)[9:] for reader in readers]
        assert set(statuses) == {b"200", b"503"}
        assert statuses.count(b"200") >= 8
        assert harness.SANITIZED or server.rss_bytes() - before < 200 << 20
        demo.create_image()  # a short answer is not refused
    wait_for_memory(server, before)
