"""The program as a process: start, one line, one owner of a directory, drain, reload, refusals."""

import json
import os
import pty
import signal
import socket
import ssl
import subprocess
import threading

import pytest

import harness
from database import sqlite_only
from identity import builtin_only


def run(*arguments, **environment):
    return subprocess.run([str(harness.BINARY), *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=60, env={**os.environ, **environment})


@builtin_only
def test_the_directory_is_made_with_everything_in_it(fresh_server):
    server = fresh_server()
    clouds = server.clouds()
    assert set(clouds) == {"admin", "demo", "alt", "third", "viewer"}
    assert clouds["viewer"]["auth"]["project_name"] == "demo"
    assert len({cloud["auth"]["password"] for cloud in clouds.values()}) == 5
    assert all(cloud["auth"]["auth_url"].startswith(server.url) for cloud in clouds.values())
    mode = (server.directory / "clouds.yaml").stat().st_mode
    assert mode & 0o077 == 0  # it holds passwords


@sqlite_only
def test_only_the_owner_reads_the_database(fresh_server):
    """It holds the keys that sign tokens, and everybody could read it."""
    server = fresh_server()
    files = list(server.directory.glob("vitrine.db*"))
    assert len(files) > 1
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    server.stop()
    (server.directory / "vitrine.db").chmod(0o644)  # as an earlier release left it
    server.start()
    assert [path.name for path in server.directory.glob("vitrine.db*")
            if path.stat().st_mode & 0o077] == []


def test_a_second_server_on_the_same_directory_is_refused(fresh_server):
    server = fresh_server()
    second = run("serve", "--standalone", server.directory, "--listen", "127.0.0.1:0")
    assert second.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT)
    assert str(server.directory) in second.stderr
    assert "ready" not in second.stdout
    assert server.client("demo").get("/v2/images").status == 200


def test_a_restart_keeps_everything(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image(b"bytes", name="kept", tags=["a"], colour="red")
    demo.post(f"/v2/images/{image['id']}/members", {"member": "somebody"}).expect(200)
    before = demo.show(image["id"])
    passwords = server.clouds()
    assert server.stop() == 0
    server.start()
    assert {name: cloud["auth"]["password"] for name, cloud in server.clouds().items()} \
        == {name: cloud["auth"]["password"] for name, cloud in passwords.items()}
    assert demo.show(image["id"]) == before  # with the token of before the restart
    assert demo.members(image["id"]) == {"somebody": "pending"}
    assert demo.download(image["id"]).body == b"bytes"


def test_sigterm_lets_transfers_finish(fresh_server):
    """OP-02"""
    server = fresh_server()
    demo = server.client("demo")
    data = b"x" * (1 << 20)
    images = [demo.create_image() for _ in range(3)]
    connections = []
    for image in images:
        connections.append(demo.raw())
        connections[-1].send(demo.head_lines(
            "PUT", f"/v2/images/{image['id']}/file", "Content-Type: application/octet-stream",
            f"Content-Length: {len(data)}") + data[:-1])
        harness.wait_until(lambda: demo.show(image["id"])["status"] == "saving")
    server.process.send_signal(signal.SIGTERM)
    harness.wait_until(lambda: refused(server.address), what="new connections to be refused")
    for connection in connections:
        connection.send(b"x")
        assert connection.answer().status == 204
        connection.close()
    assert server.wait() == 0
    server.start()
    demo = server.client("demo")
    assert {demo.show(image["id"])["checksum"] for image in images} == {harness.md5(data)}


def refused(address):
    try:
        with socket.create_connection(address, 30) as connection:
            connection.sendall(b"GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(100)
            return answer == b"" or b" 503 " in answer
    except ConnectionError:  # a busy machine that times out refuses nothing
        return True


def test_an_idle_server_ends_at_once(fresh_server):
    server = fresh_server()
    server.client("demo")
    assert server.stop(10) == 0
    assert harness.SANITIZER_REPORT.search(server.log()) is None


def test_it_listens_on_ipv6(fresh_server):
    """HT-06"""
    server = harness.Server(fresh_server().directory.with_name("six"))
    server.command = lambda: [str(harness.BINARY), "serve", "--standalone", str(server.directory),
                              *server.identity.arguments, "--listen", "[::1]:0"]
    server.start()
    try:
        demo = server.client("demo")
        versions = demo.get("/", headers={"Host": f"[::1]:{server.port}"}).expect(300).json()
        href = versions["versions"][0]["links"][0]["href"]
        assert href == f"http://[::1]:{server.port}/v2/"
    finally:
        server.finish()


@pytest.mark.parametrize("listen, ready, reachable", [
    ("*:0", "0.0.0.0", "127.0.0.1"), ("0:0", "0.0.0.0", "127.0.0.1"),
    ("0.0.0.0:0", "0.0.0.0", "127.0.0.1"), ("[::]:0", "::", "[::1]"),
    ("[0:0:0:0:0:0:0:0]:0", "::", "[::1]"), ("[::ffff:0.0.0.0]:0", "0.0.0.0", "127.0.0.1"),
    ("localhost:0", "localhost", "localhost")])
@builtin_only
def test_every_spelling_of_a_place_is_told_as_one_that_clients_reach(tmp_path, listen, ready,
                                                                     reachable):
    """`ready http://*:9292` was told, and stood in clouds.yaml."""
    server = harness.Server(tmp_path / "data")
    server.command = lambda: [str(harness.BINARY), "serve", "--standalone", str(server.directory),
                              *server.identity.arguments, "--listen", listen]
    server.start()
    try:
        assert server.host == ready
        urls = {cloud["auth"]["auth_url"] for cloud in server.clouds().values()}
        assert urls == {f"http://{reachable}:{server.port}/v3"}
    finally:
        server.finish()


@builtin_only
def test_clients_are_told_the_public_endpoint(tmp_path):
    """What listens may be behind a proxy. The file follows the configuration at each start."""
    config = tmp_path / "served.toml"
    server = harness.Server(tmp_path / "data", config=config)
    try:
        for endpoint in ("https://images.example.org:9292", "https://cloud.example.org/images", ""):
            config.write_text(f'[server]\npublic_endpoint = "{endpoint}"\n')
            server.start()
            urls = {cloud["auth"]["auth_url"] for cloud in server.clouds().values()}
            assert urls == {f"{endpoint or server.url}/v3"}
            assert server.stop() == 0
    finally:
        server.finish()


def certificate(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", folder / "key.pem", "-out",
         folder / "certificate.pem"], check=True, capture_output=True)


def common_name(address):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(address, 10) as plain, context.wrap_socket(plain) as secure:
        secure.sendall(b"GET /healthcheck HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert secure.recv(100).startswith(b"HTTP/1.1 200")
        return secure.getpeercert(binary_form=True)


def test_tls_and_reload_of_the_certificate(fresh_server, tmp_path):
    certificate(tmp_path, "first")
    server = fresh_server(config=f'[server]\ncertificate_file = "{tmp_path}/certificate.pem"\n'
                                 f'key_file = "{tmp_path}/key.pem"\n')
    assert server.url.startswith("https://")
    first = common_name(server.address)
    certificate(tmp_path, "second")
    assert common_name(server.address) == first
    server.process.send_signal(signal.SIGHUP)
    harness.wait_until(lambda: common_name(server.address) != first, what="the new certificate")


def test_a_key_with_a_passphrase_is_refused_without_asking(tmp_path):
    """Was asked for at the terminal: a start hung, and a reload would have."""
    certificate(tmp_path, "plain")
    subprocess.run(["openssl", "pkey", "-in", tmp_path / "key.pem", "-aes256", "-passout",
                    "pass:secret", "-out", tmp_path / "locked.pem"], check=True)
    environment = {**os.environ, "VITRINE_SERVER_KEY_FILE": f"{tmp_path}/locked.pem",
                   "VITRINE_SERVER_CERTIFICATE_FILE": f"{tmp_path}/certificate.pem"}
    command = [str(harness.BINARY), "serve", "--standalone", str(tmp_path / "data"), "--listen",
               "127.0.0.1:0"]
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, environment)
    try:
        harness.wait_until(lambda: (ended := os.waitpid(child, os.WNOHANG)) != (0, 0)
                           and os.waitstatus_to_exitcode(ended[1]) == 1, what="the refusal")
        assert b"locked.pem" in os.read(terminal, 4096)
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(terminal)


def test_check_config_names_file_line_and_key(tmp_path):
    good = tmp_path / "good.toml"
    good.write_text('[server]\nlisten = "127.0.0.1:0"\n[jobs]\nworkers = 3\n')
    assert run("check-config", good).returncode == 0
    for text, line, key in [("[jobs]\nworkers = 0\n", 2, "workers"),
                            ("[jobs]\n\nworkers = \"two\"\n", 3, "workers"),
                            ("[jobs]\nbogus = 1\n", 2, "bogus"),
                            ("[compat]\nprofile = \"other\"\n", 2, "profile"),
                            ("[identity]\ndriver = \"keystone\"\n", 2, "auth_url"),
                            ("[identity]\nauth_url = \"keystone\"\n", 2, "auth_url")]:
        bad = tmp_path / "bad.toml"
        bad.write_text(text)
        outcome = run("check-config", bad)
        said = outcome.stdout + outcome.stderr
        assert outcome.returncode not in (0, -signal.SIGABRT), text
        assert "bad.toml" in said and key in said and str(line) in said, said
    missing = tmp_path / "missing"
    for text, key in [(f'[policy]\nfile = "{missing}"\n', "policy.file"),
                      (f'[server]\ncertificate_file = "{missing}"\nkey_file = "{good}"\n',
                       "server.certificate_file")]:
        (tmp_path / "bad.toml").write_text(text)
        outcome = run("check-config", tmp_path / "bad.toml")
        assert outcome.returncode == 1
        assert f"bad.toml:2: {key}: {missing} " in outcome.stderr
    policy = tmp_path / "policy.yaml"
    policy.write_text('"get_image": "role:"\n')
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "audit.jsonl").write_text('{"event": "of another program"}\n')
    for text, said in [
            (f'[policy]\nfile = "{policy}"\n', f"policy.file: {policy}:1: get_image: "),
            (f'[server]\ncertificate_file = "{good}"\nkey_file = "{good}"\n',
             f"server.certificate_file: the certificate file {good} cannot be used"),
            (f'[audit]\nfile = "{missing}/audit"\n',
             f"audit.file: {missing}/audit is not a file that can be written"),
            (f'[audit]\nfile = "{policy}"\n',
             f"audit.file: {policy}: it does not end in an audit event of ours; "
             "nothing was changed"),
            (f'[storage]\ndirectory = "{foreign}"\n',
             f"storage.directory: {foreign}/audit.jsonl: it does not end in an audit event")]:
        (tmp_path / "bad.toml").write_text(text)
        outcome = run("check-config", tmp_path / "bad.toml")
        assert outcome.returncode == 1
        assert f"bad.toml:2: {said}" in outcome.stderr
    (tmp_path / "bad.toml").write_text("[jobs\n")
    assert run("check-config", tmp_path / "bad.toml").returncode != 0
    assert run("check-config", tmp_path / "none.toml").returncode != 0


def test_the_directory_may_be_configured(fresh_server, tmp_path):
    directory = tmp_path / "kept"
    server = fresh_server(directory=directory, environment={"VITRINE_STORAGE_DIRECTORY":
                                                            f"{tmp_path}/./kept"})
    assert server.stop() == 0  # the same place by another name
    config = tmp_path / "vitrine.toml"
    config.write_text(f'[storage]\ndirectory = "{directory}"\n')
    server.command = lambda: [str(harness.BINARY), "serve", "--listen", "127.0.0.1:0", "--config",
                              str(config), *server.identity.arguments]
    server.start()
    server.client("demo").create_image()
    outcome = run("serve", "--standalone", tmp_path / "other", "--config", config)
    assert outcome.returncode == 1 and "storage.directory" in outcome.stderr
    assert not (tmp_path / "other").exists()
    outcome = run("serve")
    assert outcome.returncode == 1 and "storage.directory" in outcome.stderr


def test_every_key_is_an_environment_variable_too(fresh_server):
    server = fresh_server(environment={"VITRINE_IMAGES_TAG_MAX": "1"})
    demo = server.client("demo")
    image = demo.create_image(tags=["a"])
    demo.put(f"/v2/images/{image['id']}/tags/b").expect(413)


@builtin_only
def test_a_password_from_a_file_with_crlf_works(fresh_server):
    """The carriage return became part of the password, and nobody can type it."""
    server = fresh_server()
    subprocess.run([str(harness.BINARY), "identity", "--standalone", str(server.directory), "user",
                    "create", "carla", "--project", "demo"], input=b"from-a-file\r\n", check=True,
                   capture_output=True, env={**os.environ, **server.environment})
    harness.Client(server, {"auth": {
        "username": "carla", "password": "from-a-file", "project_name": "demo"}})


def test_identity_makes_no_service_of_its_own(tmp_path):
    """It made a database without an administrator, which no later start could give one."""
    outcome = run("identity", "--standalone", tmp_path, "user", "list")
    assert outcome.returncode == 1
    assert f"{tmp_path} holds no service yet" in outcome.stderr
    assert not list(tmp_path.iterdir())


def test_the_first_start_is_told_as_the_place_was_named(tmp_path):
    config, home = tmp_path / "vitrine.toml", tmp_path / "home"
    config.write_text(f'[storage]\ndirectory = "{home}"\n')
    by_config = run("identity", "--config", config, "user", "list").stderr
    assert f"{home} holds no service yet: the first `vitrine serve --config {config}` makes it" \
        in by_config
    by_directory = run("blobs", "check", "--standalone", home).stderr
    assert f"{home} holds no service yet: the first `vitrine serve --standalone {home}` makes it" \
        in by_directory


@pytest.mark.parametrize("arguments", [
    ["serve"], ["serve", "--standalone"], ["bogus"], ["serve", "--bogus"],
    ["serve", "--standalone", "/proc/nothing/here", "--listen", "127.0.0.1:0"],
])
def test_a_wrong_command_line_is_refused_with_a_reason(arguments):
    outcome = run(*arguments)
    assert outcome.returncode > 0
    assert outcome.stderr.strip()
    assert "ready" not in outcome.stdout


def test_a_taken_port_is_refused_with_a_reason(fresh_server, tmp_path):
    server = fresh_server()
    outcome = run("serve", "--standalone", tmp_path / "other", "--listen",
                  f"127.0.0.1:{server.port}")
    assert outcome.returncode > 0
    assert str(server.port) in outcome.stderr


@sqlite_only
@pytest.mark.parametrize("contents", [b"no database at all" * 300,
                                      b"SQLite format 3\0" + b"x" * 8176])
@pytest.mark.parametrize("arguments", [["serve", "--listen", "127.0.0.1:0"],
                                       ["identity", "user", "list"]])
def test_a_broken_database_is_named(tmp_path, contents, arguments):
    (tmp_path / "vitrine.db").write_bytes(contents)
    done = run(*arguments, "--standalone", tmp_path)
    assert done.returncode == 1
    assert f"vitrine: {tmp_path}/vitrine.db is no usable database\n" in done.stderr


@builtin_only
def test_null_is_no_name_and_no_flag(admin):
    for kind, fields in [("project", ["name", "enabled"]), ("user", ["name", "enabled"]),
                         ("role", ["name"])]:
        made = admin.post(f"/v3/{kind}s", {kind: {"name": f"null {kind}"}}).expect(201).json()[kind]
        for field in fields:
            answer = admin.request("PATCH", f"/v3/{kind}s/{made['id']}", json={kind: {field: None}})
            assert field in answer.expect(400).json()["error"]["message"]
        admin.request("PATCH", f"/v3/{kind}s/{made['id']}", json={kind: {"description": None}}) \
            .expect(200)


@pytest.mark.parametrize("subject", ["openapi", "config", "metrics", "errors", "policy"])
def test_it_describes_itself(subject):
    outcome = run("describe", subject)
    assert outcome.returncode == 0
    assert len(outcome.stdout) > 200
    if subject == "openapi":
        document = json.loads(outcome.stdout)
        assert "/v1/cloudimages/members" in document["paths"]


def test_health_tells_of_a_drain(fresh_server):
    """HT-19"""
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image()
    with demo.raw() as upload, demo.raw() as probe:
        upload.send(demo.head_lines("PUT", f"/v2/images/{image['id']}/file", "Content-Length: 1",
                                    "Content-Type: application/octet-stream"))
        harness.wait_until(lambda: demo.show(image["id"])["status"] == "saving")
        probe.send(demo.head_lines("GET", "/healthcheck/ready"))
        assert probe.answer().status == 200
        server.process.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: refused(server.address))
        upload.send(b"x")
        assert upload.answer().status == 204
    assert server.wait() == 0


def test_memory_stays_bounded_under_many_requests(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    demo.create_image()

    def work():
        for _ in range(300):
            demo.get("/v2/images").expect(200)

    work()
    before = server.rss_bytes()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.rss_bytes() - before < (32 << 20) * harness.PATIENCE
