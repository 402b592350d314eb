"""HTTP/1.1 as bytes: framing, limits; after a refusal a connection is in step or closed."""

import http.client

import pytest

import harness
from identity import builtin_only


def ask(connection, client, method, path, *lines, body=b""):
    return connection.send(client.head_lines(method, path, *lines) + body)


def in_step(connection, client):
    """True when the next request on the connection gets its own answer."""
    ask(connection, client, "GET", "/v2/images?limit=0")
    answer = connection.answer()
    return answer.status == 200 and answer.json()["images"] == []


def test_requests_follow_each_other_on_a_connection(demo):
    with demo.raw() as connection:
        for _ in range(3):
            assert in_step(connection, demo)


def test_pipelined_requests_are_answered_in_order(demo):
    with demo.raw() as connection:
        paths = ["/v2/images?limit=0", "/v2/images/none", "/v2/images?limit=0",
                 "/v2/images?limit=x"]
        connection.send(b"".join(demo.head_lines("GET", path) for path in paths))
        assert [connection.answer().status for _ in paths] == [200, 404, 200, 400]


def test_a_request_in_single_bytes(nobody):
    with nobody.raw() as connection:
        for byte in nobody.head_lines("GET", "/healthcheck"):
            connection.send(bytes([byte]))
        assert connection.answer().status == 200


def test_connection_close_is_honoured(nobody):
    with nobody.raw() as connection:
        ask(connection, nobody, "GET", "/healthcheck", "Connection: close")
        answer = connection.answer()
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
        assert connection.closed()


def test_http_1_0_closes(nobody):
    with nobody.raw() as connection:
        connection.send(b"GET /healthcheck HTTP/1.0\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.closed()


def test_an_http_1_0_upload_names_its_length(demo):
    """Data that only the end of the connection ended was lost: the image was active and empty."""
    image = demo.create_image()["id"]

    def upload(*lines, body):
        head = demo.head_lines("PUT", f"/v2/images/{image}/file",
                               "Content-Type: application/octet-stream", *lines)
        with demo.raw() as connection:
            return connection.send(head.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body).answer()
    assert upload(body=b"data").status == 411
    assert demo.show(image)["status"] == "queued"
    assert upload("Content-Length: 4", body=b"data").status == 204
    assert demo.show(image)["checksum"] == harness.md5(b"data")


@pytest.mark.parametrize("head", [
    b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    b"Content-Length: 3, 4\r\n\r\nabc",
    b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Content-Length: +3\r\n\r\nabc",
    b"Content-Length: -3\r\n\r\nabc",
    b"Content-Length: 0x3\r\n\r\nabc",
    b"Content-Length: 3 3\r\n\r\nabc",
    b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    b"Content-Length:\r\n\r\n",
    b"Foo: a\rb\r\n\r\n",
    b"Foo: a\nBar: b\r\n\r\n",
    b"Foo: a\0b\r\n\r\n",
    b"Foo : a\r\n\r\n",
    b" Foo: a\r\n\r\n",
    b"Foo: a\r\n folded\r\n\r\n",
    b"NoColon\r\n\r\n",
    b": empty\r\n\r\n",
    b"Host: other\r\n\r\n",
])
def test_a_head_that_two_parsers_may_read_differently_is_refused(demo, head):
    with demo.raw() as connection:
        connection.send(b"POST /v2/images HTTP/1.1\r\nHost: x\r\nX-Auth-Token: "
                        + demo.token.encode() + b"\r\n" + head)
        answer = connection.answer()
        assert answer.status in (400, 501), answer
        assert connection.closed()


@pytest.mark.parametrize("line", [
    b"GET /healthcheck\r\n", b"GET  /healthcheck HTTP/1.1\r\n", b"GET /health check HTTP/1.1\r\n",
    b"GET /healthcheck HTTP/2.0\r\n", b"GET /healthcheck HTTP/1.1 x\r\n", b"\0\0\0\0\r\n",
    b"G<T /healthcheck HTTP/1.1\r\n", b"GET /healthcheck http/1.1\r\n", b"\x16\x03\x01\x02\x00\r\n",
])
def test_a_malformed_request_line_is_refused(nobody, line):
    with nobody.raw() as connection:
        connection.send(line + b"Host: x\r\n\r\n")
        assert connection.answer().status in (400, 505)
        assert connection.closed()


def test_a_request_without_host_is_refused(nobody):
    with nobody.raw() as connection:
        connection.send(b"GET /healthcheck HTTP/1.1\r\n\r\n")
        assert connection.answer().status == 400
        assert connection.closed()


def test_a_body_that_is_not_wanted_is_refused_before_it_comes(viewer):
    """It took a share of what all long bodies may take, and waited for the rest of it."""
    with viewer.raw() as connection:
        connection.send(viewer.head_lines("GET", "/v2/images", "Content-Length: 1048576"))
        assert connection.answer().status == 400


@pytest.mark.parametrize("host", [b"[::1", b"[fe80::1%25eth0]", b"1.2.3.4:80:80", b"x:99999",
                                  b":80", b"a b", b"a/b", b"u@a", b"a%", b"[::1]x"])
@pytest.mark.parametrize("path", [b"/", b"/v3", b"/v2"])
def test_a_malformed_host_is_refused(nobody, host, path):
    """It stood in links."""
    with nobody.raw() as connection:
        connection.send(b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 400
        assert host not in answer.body
        assert connection.closed()


@pytest.mark.parametrize("chunks", [
    b"3\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"g\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n",
    b"3 \r\nabc\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", b"\r\n", b"3\r\nabc0\r\n\r\n",
    b"ffffffffffffffffff\r\nabc\r\n", b"3;" + b"e" * 20000 + b"\r\nabc\r\n0\r\n\r\n",
])
@pytest.mark.parametrize("upload", [False, True])
def test_malformed_chunks_are_refused(demo, chunks, upload):
    image = demo.create_image()
    with demo.raw() as connection:
        if upload:
            ask(connection, demo, "PUT", f"/v2/images/{image['id']}/file",
                "Content-Type: application/octet-stream", "Transfer-Encoding: chunked", body=chunks)
        else:
            ask(connection, demo, "POST", "/v2/images", "Transfer-Encoding: chunked", body=chunks)
        assert connection.answer().status == 400
        assert connection.closed()
    assert demo.show(image["id"])["status"] == "queued"


def test_chunks_with_extensions_and_trailers(demo):
    body = b'{"name": "x"}'
    framed = b"5;a=b\r\n" + body[:5] + b'\r\n8;c="d e"\r\n' + body[5:] + b"\r\n0\r\nX-T: 1\r\n\r\n"
    with demo.raw() as connection:
        ask(connection, demo, "POST", "/v2/images", "Transfer-Encoding: chunked", body=framed)
        assert connection.answer().status == 201
        assert in_step(connection, demo)


@pytest.mark.parametrize("path", ["/v2/images", "/v2/images/x", "/v2/images/x/file"])
def test_head_has_no_body_and_stays_in_step(demo, path):
    with demo.raw() as connection:
        ask(connection, demo, "HEAD", path)
        assert connection.answer("HEAD").status == 405
        assert in_step(connection, demo)


def test_a_json_body_beyond_the_limit_is_refused(demo):
    with demo.raw() as connection:
        ask(connection, demo, "POST", "/v2/images", "Content-Length: 67108864")
        assert connection.answer().status == 413
        assert connection.closed() or in_step(connection, demo)


def test_a_chunked_json_body_beyond_the_limit_is_refused(demo, server):
    before = server.rss_bytes()
    with demo.raw() as connection:
        ask(connection, demo, "POST", "/v2/images", "Transfer-Encoding: chunked")
        try:
            for _ in range(64):
                connection.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert connection.answer().status == 413
        except ConnectionResetError:
            pass  # closed while we still sent: the answer may be lost
    assert server.rss_bytes() - before < 32 << 20


@pytest.mark.parametrize(("head", "statuses"), [
    (b"X: " + b"a" * (1 << 20) + b"\r\n", (431,)),
    (b"".join(b"X%d: a\r\n" % index for index in range(10_000)), (431,)),
])
def test_a_head_beyond_the_limit_is_refused(nobody, head, statuses):
    with nobody.raw() as connection:
        try:
            connection.send(b"GET /healthcheck HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert connection.answer().status in statuses
        except ConnectionResetError:
            pass
    assert nobody.get("/healthcheck").status == 200


def test_a_target_beyond_the_limit_is_refused(nobody):
    with nobody.raw() as connection:
        try:
            connection.send(nobody.head_lines("GET", "/v2/images?name=" + "x" * 65536))
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert connection.answer().status in (414, 431)
        except ConnectionResetError:
            pass
    assert nobody.get("/healthcheck").status == 200


@pytest.mark.parametrize("query, headers, status", [
    ("?name=" + "x" * 20_000, [], 414), ("", [f"X{index}: a" for index in range(300)], 431)])
def test_a_head_that_is_too_large_is_refused_in_the_form_of_the_api(demo, query, headers, status):
    """It was HTML, whatever was asked."""
    with demo.raw() as connection:
        connection.send(demo.head_lines("GET", "/v2/cloudimages" + query, *headers))
        answer = connection.answer()
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"]["code"] == "IMG.0001"


class TestExpect:
    """UP-22, 100-continue: the verdict over the head comes before the body is asked for."""

    EXPECT = ("Content-Type: application/octet-stream", "Content-Length: 3", "Expect: 100-continue")

    def test_a_good_upload_is_invited(self, demo):
        image = demo.create_image()
        with demo.raw() as connection:
            ask(connection, demo, "PUT", f"/v2/images/{image['id']}/file", *self.EXPECT)
            assert connection.stream.readline() == b"HTTP/1.1 100 Continue\r\n"
            while connection.stream.readline() != b"\r\n":
                pass
            connection.send(b"abc")
            assert connection.answer().status == 204
            assert in_step(connection, demo)
        assert demo.show(image["id"])["checksum"] == harness.md5(b"abc")

    @pytest.mark.parametrize("token", [(), ("X-Auth-Token: wrong",)])
    def test_without_a_good_token_the_body_is_not_asked_for(self, demo, nobody, token):
        image = demo.create_image()
        with nobody.raw() as connection:
            ask(connection, nobody, "PUT", f"/v2/images/{image['id']}/file", *token, *self.EXPECT)
            assert connection.answer().status == 401
            assert connection.closed()
        assert demo.show(image["id"])["status"] == "queued"

    def test_data_sent_with_another_expectation_is_not_stored(self, demo):
        image = demo.create_image()
        with demo.raw() as connection:
            ask(connection, demo, "PUT", f"/v2/images/{image['id']}/file", *self.EXPECT[:2],
                "Expect: nonsense")
            assert connection.answer().status == 417
        assert demo.show(image["id"])["status"] == "queued"

    @pytest.mark.parametrize("path, told", [
        ("/v2/images", lambda answer: answer.json()["code"] == "417 Expectation Failed"),
        ("/v3/projects", lambda answer: (answer.json()["error"]["code"],
                                         answer.json()["error"]["title"])
         == (417, "Expectation Failed")),
        ("/v1/cloudimages/quota", lambda answer: answer.code().startswith("IMG.")),
    ])
    def test_another_expectation_is_refused_in_the_form_of_the_api(self, demo, path, told):
        """The identity API said 400 in the body of a 417."""
        with demo.raw() as connection:
            ask(connection, demo, "GET", path, "Expect: nonsense", "Accept: application/json")
            answer = connection.answer()
            assert answer.status == 417
            assert told(answer)


@pytest.mark.parametrize("path", ["/v2/images", "/v1/cloudimages/quota", "/v3/projects"])
def test_two_tokens_are_refused(demo, alt, path):
    """The first was taken, whoever had put it there."""
    with demo.raw() as connection:
        ask(connection, demo, "GET", path, f"X-Auth-Token: {alt.token}")
        assert connection.answer().status == 400
        assert in_step(connection, demo)


@pytest.mark.parametrize("path, form", [
    ("/v2/images", "message"), ("/v1/cloudimages/quota", "error"),
    pytest.param("/v3/projects", "error", marks=builtin_only)])
def test_a_long_request_id_is_refused_in_the_form_of_the_api(demo, path, form):
    answer = demo.get(path, headers={"X-Openstack-Request-Id": "x" * 65,
                                     "Accept": "application/json"}).expect(431)
    assert form in answer.json()
    assert demo.get(path, headers={"X-Openstack-Request-Id": "x" * 64}).status != 431


@pytest.mark.parametrize("path, native", [
    ("/v2/nope", True), ("/v2/nope/nope", True), ("/v2/a/b/c/d/e/f/g/h/i", True),
    ("/v2.9/nope", True), ("/v2/images/a/b/c", True), ("/v2/schemas/images/x", True),
    ("/v2/cloudimages/a/b/c", False), ("/v2.1/cloudimages/nope/nope", False),
    ("/v2/project/images/nope", False), ("/v2/project/images/a/tags/b/c", False),
    ("/v1/nope", False), ("/v1.1/nope/nope", False)])
def test_a_path_that_leads_nowhere_is_refused_in_the_form_of_its_api(demo, path, native):
    """Most paths below /v2 that do not exist were refused by the extension."""
    answer = demo.get(path, headers={"Accept": "*/*"}).expect(404)
    if native:
        assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert "<title>404 Not Found</title>" in answer.text
    else:
        assert answer.code() in ("IMG.0144", "IMG.0023")


def test_a_body_that_nobody_reads_leaves_the_connection_in_step_or_closed(demo):
    with demo.raw() as connection:
        ask(connection, demo, "GET", "/v2/images/none", "Content-Length: 11", body=b"GET / HTTP/")
        assert connection.answer().status in (400, 404)
        try:
            assert in_step(connection, demo)
        except (ConnectionError, http.client.BadStatusLine):
            assert connection.closed()  # the other allowed end; BadStatusLine: it closed unanswered


def test_many_connections_are_served(nobody):
    connections = [nobody.raw() for _ in range(200)]
    for connection in connections:
        ask(connection, nobody, "GET", "/healthcheck")
    assert {connection.answer().status for connection in connections} == {200}
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_never_stop_the_server(nobody, rng, seed):
    generator = type(rng)(seed)
    with nobody.raw() as connection:
        try:
            connection.send(generator.randbytes(generator.randrange(1, 5000)) + b"\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert nobody.get("/healthcheck").status == 200
