"""Links behind proxies, slow clients, repeated logins: what depends on configuration."""

import concurrent.futures
import json
import select
import socket
import time

import pytest

import harness
from identity import builtin_only

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "img.example.org",
             "Host": "img.example.org"}


def location(client, headers):
    answer = client.post("/v2/images", {}, headers=headers).expect(201)
    assert "OpenStack-image-import-methods" in answer.headers
    return answer.headers["Location"]


def test_forwarded_headers_of_strangers_are_not_believed(fresh_server):
    """CR-17, HT-05"""
    demo = fresh_server().client("demo")
    assert location(demo, FORWARDED).startswith("http://img.example.org/v2/images/")


def test_forwarded_headers_of_a_trusted_proxy_are(fresh_server):
    """CR-17, HT-05"""
    server = fresh_server(config='[server]\ntrusted_proxies = ["127.0.0.0/8"]\n')
    demo = server.client("demo")
    assert location(demo, FORWARDED).startswith("https://img.example.org/v2/images/")
    versions = demo.get("/", headers=FORWARDED).expect(300).json()["versions"]
    assert {link["href"].split("/v2")[0] for version in versions for link in version["links"]} \
        == {"https://img.example.org"}


@builtin_only
def test_a_public_endpoint_is_used_everywhere(fresh_server):
    server = fresh_server(
        config='[server]\npublic_endpoint = "https://images.example.org/glance"\n')
    demo = server.client()
    body = harness.password_login(server.clouds()["demo"]["auth"])
    answer = demo.post("/v3/auth/tokens", body).expect(201)
    urls = {endpoint["url"] for service in answer.json()["token"]["catalog"]
            if service["type"] == "image" for endpoint in service["endpoints"]}
    assert urls == {"https://images.example.org/glance"}
    token = answer.headers["X-Subject-Token"]
    made = demo.post("/v2/images", {}, headers={"X-Auth-Token": token}).expect(201)
    assert made.headers["Location"].startswith("https://images.example.org/glance/v2/images/")


@pytest.mark.parametrize("host", ["a.b\tX", "a b", "x/../y", "<script>", "a@b"])
def test_a_host_that_is_none_makes_no_links(nobody, host):
    answer = nobody.get("/", headers={"Host": host})
    assert answer.status in (300, 400)
    assert host not in answer.text


@pytest.fixture
def impatient(fresh_server):
    return fresh_server(config="[server]\nhead_timeout_seconds = 1\nidle_timeout_seconds = 1\n"
                               "body_timeout_seconds = 1\nbody_bytes_per_second_min = 1000\n")


def test_an_idle_connection_is_closed(impatient):
    with impatient.client().raw() as connection:
        assert connection.closed()


def test_a_head_that_does_not_end_is_cut(impatient):
    client = impatient.client()
    with client.raw() as connection:
        connection.send(b"GET /healthcheck HTTP/1.1\r\nHost: x\r\nX-A: ")
        answered = connection.stream.readline()
        assert answered == b"" or b" 408 " in answered
    assert client.get("/healthcheck").status == 200


def test_a_body_that_does_not_come_is_cut(impatient):
    demo = impatient.client("demo")
    image = demo.create_image()
    with demo.raw() as connection:
        connection.send(demo.head_lines("PUT", f"/v2/images/{image['id']}/file",
                                        "Content-Type: application/octet-stream",
                                        "Content-Length: 1000000") + b"a little")
        answered = connection.stream.readline()
        assert answered == b"" or b" 408 " in answered
        harness.wait_until(lambda: demo.show(image["id"])["status"] == "queued",
                           what="the image to wait again")


def test_a_slow_but_steady_reader_gets_all(fresh_server):
    """Was cut: the kernel asks for more only when a third of a buffer of megabytes is free."""
    server = fresh_server(config="[server]\nbody_timeout_seconds = 1\n")
    demo = server.client("demo")
    size = 24 << 20
    image = demo.create_image(b"x" * size)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        reader.settimeout(20)
        reader.connect(server.address)
        reader.sendall(demo.head_lines("GET", f"/v2/images/{image['id']}/file",
                                       "Connection: close"))
        answered = took(reader, 8 << 20)  # at full speed, for the buffers to grow
        began, slowly = time.monotonic(), 0
        while time.monotonic() - began < 4:  # then 400 KB/s, far above the least speed
            slowly += took(reader, 40_000)
            harness.wait_until(lambda: time.monotonic() - began >= slowly / 400_000)
        answered += slowly + took(reader, size)
    assert answered > size


def took(reader, size):
    """Reads that many bytes, or all there are; their number."""
    count = 0
    while count < size and (piece := reader.recv(min(size - count, 1 << 16))):
        count += len(piece)
    return count


def test_a_flood_of_connections_leaves_files_to_requests(fresh_server, monkeypatch):
    """Uploads failed with `Too many open files` while strangers held connections."""
    direct = harness.Server.command
    monkeypatch.setattr(harness.Server, "command", lambda server: [
        "bash", "-c", 'ulimit -n 256; exec "$@"', "bash", *direct(server)])
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()
    strangers = [socket.create_connection(server.address) for _ in range(400)]
    demo.upload(image["id"], b"x" * 1000).expect(204)
    for stranger in strangers:
        stranger.close()


@builtin_only
def test_repeated_wrong_logins_are_slowed_down(fresh_server):
    server = fresh_server(config="[identity]\nlogin_attempts_max = 3\n")
    nobody = server.client()
    right = harness.password_login(server.clouds()["alt"]["auth"])
    wrong = harness.password_login({**server.clouds()["alt"]["auth"], "password": "wrong"})
    assert nobody.post("/v3/auth/tokens", right).status == 201
    answers = [nobody.post("/v3/auth/tokens", wrong) for _ in range(6)]
    assert {answer.status for answer in answers[:3]} == {401}
    locked = nobody.post("/v3/auth/tokens", right)
    assert locked.status in (401, 403)
    # Another user is not kept out by it, and the answer tells nobody that alt exists.
    assert server.client("third").token
    unknown = harness.password_login({**server.clouds()["alt"]["auth"], "username": "nobody-here"})
    for _ in range(6):
        last = nobody.post("/v3/auth/tokens", unknown)
    assert (last.status, last.json()["error"]["message"]) \
        == (locked.status, locked.json()["error"]["message"])
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert [(line["level"], line["limit"], line["user"], line["address"]) for line in lines
            if line["event"] == "login.limited"] == [
        ("warning", "user", "alt", "127.0.0.1"), ("warning", "user", "", "127.0.0.1")]


@builtin_only
def test_logins_behind_a_trusted_proxy_are_counted_for_each_client(fresh_server):
    """All clients of a proxy shared one count, and one of them could lock out the rest."""
    server = fresh_server(config='[server]\ntrusted_proxies = ["127.0.0.0/8"]\n'
                                 "[identity]\nlogin_attempts_max = 1\n")
    nobody = server.client()

    def login(username, address):
        body = harness.password_login({**server.clouds()["alt"]["auth"], "username": username})
        return nobody.post("/v3/auth/tokens", body, headers={"X-Forwarded-For": address}).status

    for number in range(11):
        assert login(f"nobody-{number}", "198.51.100.7") == 401
    assert login("alt", "198.51.100.7") == 401  # beyond ten times as many as for a user
    assert login("alt", "198.51.100.8") == 201


@builtin_only
def test_a_flood_of_logins_does_not_hold_up_other_requests(fresh_server):
    """Logins that waited for one another held all threads of the API."""
    costly = {"VITRINE_IDENTITY_PASSWORD_MEMORY_KIB": "65536",
              "VITRINE_IDENTITY_PASSWORD_PASSES": "3"}
    server = fresh_server(config="[server]\napi_threads = 4\nqueue_max = 64\n"
                                 "[identity]\nlogin_attempts_max = 1000\n", environment=costly)
    demo, nobody = server.client("demo"), server.client()
    with concurrent.futures.ThreadPoolExecutor(20) as burst:  # of honest users: all get in
        assert all(burst.map(lambda _: server.client("alt").token, range(20)))
    login = harness.password_login({**server.clouds()["alt"]["auth"], "username": "nobody-here"})
    body = harness.dump(login)
    request = nobody.head_lines("POST", "/v3/auth/tokens", "Content-Type: application/json",
                                f"Content-Length: {len(body)}") + body
    flood = [nobody.raw().send(request) for _ in range(100)]
    for number in range(5):
        demo.post("/v2/images", {"name": f"image {number}"}).expect(201)
    sockets = [one.socket for one in flood]
    assert len(select.select(sockets, [], [], 0)[0]) < 70, "30 of them still wait by then"
    answers = [one.answer("POST") for one in flood]
    assert {answer.status for answer in answers} == {401, 503}
    refused = [answer for answer in answers if answer.status == 503]
    assert len(refused) > 10
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    for one in flood:
        one.close()


def test_a_token_without_a_known_role_is_forbidden(fresh_server):
    """AU-04"""
    server = fresh_server()
    admin = server.client("admin")
    role = admin.post("/v3/roles", {"role": {"name": "observer"}}).expect(201).json()["role"]["id"]
    user = admin.post("/v3/users", {"user": {"name": "o", "password": "a-long-password"}}) \
        .expect(201).json()["user"]["id"]
    project = server.client("demo").project_id
    admin.put(f"/v3/projects/{project}/users/{user}/roles/{role}").expect(204)
    observer = harness.Client(server, {"auth": {
        "username": "o", "password": "a-long-password", "project_name": "demo"}})
    observer.get("/v2/images").expect(403)
    answer = observer.get("/v1/cloudimages/quota").expect(403)
    assert answer.code() == "IMG.0026"


def test_the_glance_profile_leaves_the_extension_out(fresh_server):
    demo = fresh_server(config='[compat]\nprofile = "glance"\n').client("demo")
    image = demo.create_image(b"x")
    assert image["visibility"] == "shared"
    assert not [name for name in image if name.startswith("__")]
    ordinary = demo.create_image(active_at="x", virtual_env_type="y")
    assert (ordinary["active_at"], ordinary["virtual_env_type"]) == ("x", "y")
    assert demo.listed("virtual_env_type=y&active_at=x") == [ordinary["id"]]
    assert demo.listed("__isregistered=true") == demo.listed("__imagetype=private") == []
    schema = demo.get("/v2/schemas/image").expect(200).json()["properties"]
    assert not {"active_at", "virtual_env_type"} & set(schema)
    assert schema["disk_format"]["enum"] == [
        None, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop",
        "zvhd", "zvhd2"]
    assert demo.listed("__protected=false") == demo.listed("flavor_id=x") == []
    demo.post("/v2/images", {"disk_format": "qcow"}).expect(400)
    private = demo.create_image(visibility="private")
    demo.post(f"/v2/images/{private['id']}/members", {"member": "p"}).expect(403)


def test_names_are_unique_in_a_project_if_so_configured(fresh_server):
    server = fresh_server(config="[images]\nunique_names = true\n")
    demo, alt = server.client("demo"), server.client("alt")
    first = demo.create_image(name="disk")["id"]
    refused = demo.post("/v2/images", {"name": "disk", "os_hidden": True}).expect(409)
    assert "name" in refused.message()
    alt.create_image(name="disk")
    for name in (..., ..., "", ""):  # as many as one likes have none
        demo.create_image(name=name)
    second = demo.create_image(name="other")["id"]
    path = f"/v2/images/{second}"
    demo.patch(path, [{"op": "replace", "path": "/name", "value": "disk"}]).expect(409)
    assert demo.show(second)["name"] == "other"
    for value in ("other", "free"):  # its own name, and one that nobody has
        demo.patch(path, [{"op": "replace", "path": "/name", "value": value}]).expect(200)
    demo.delete(f"/v2/images/{first}").expect(204)
    demo.post("/v2/images", {"name": "disk"}).expect(201)


def test_of_many_who_ask_for_a_name_at_once_one_gets_it(fresh_server):
    demo = fresh_server(config="[images]\nunique_names = true\n").client("demo")
    others = [demo.create_image(name=f"image {number}")["id"] for number in range(8)]
    rename = [{"op": "replace", "path": "/name", "value": "wanted"}]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(demo.post, "/v2/images", {"name": "wanted"}) for _ in others]
        asked += [pool.submit(demo.patch, f"/v2/images/{image}", rename) for image in others]
    assert sorted(answer.result().status for answer in asked)[1:] == [409] * 15
    assert len(demo.listed("name=wanted")) == 1


def test_the_image_quota_holds_for_native_creates_if_so_configured(fresh_server):
    quota = "[quota]\nimage = 3\n"
    server = fresh_server(config=f"{quota}apply_to_native = true\n")
    demo, alt = server.client("demo"), server.client("alt")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(demo.post, "/v2/images", {}) for _ in range(8)]
    assert sorted(answer.result().status for answer in asked) == [201] * 3 + [413] * 5
    images = demo.listed()
    assert len(images) == 3
    alt.post("/v2/images", {}).expect(201)
    demo.delete(f"/v2/images/{images[0]}").expect(204)
    demo.post("/v2/images", {}).expect(201)
    demo.post("/v2/images", {}).expect(413)
    without = fresh_server(config=quota).client("demo")
    assert [without.post("/v2/images", {}).status for _ in range(4)] == [201] * 4


def test_import_is_not_offered_and_says_so(demo):
    """IM-16: no method is listed that does not work."""
    methods = demo.get("/v2/info/import").expect(200).json()["import-methods"]["value"]
    image = demo.create_image()
    assert methods == []
    demo.post(f"/v2/images/{image['id']}/import", {"method": {"name": "web-download"}}) \
        .expect(400, 404, 405, 409)
