"""Identity by Keystone: what it takes back, when it does not answer, whom it knows."""

import os
import subprocess
import uuid

import pytest

import harness
import identity
import keystone
from keyring import keys, new_key
from signing import Signed, make_key
from test_quota_command import quota

pytestmark = identity.keystone_only

BELIEVES_NOTHING = {"VITRINE_IDENTITY_TOKEN_CACHE_SECONDS": "0"}
BELIEVES_LONG = {"VITRINE_IDENTITY_TOKEN_CACHE_SECONDS": "60"}


def run(server, *arguments):
    return subprocess.run([str(harness.BINARY), *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=60,
                          env={**os.environ, **server.environment})


class Account:
    """A user of a project, both new, with these roles there."""

    def __init__(self, admin, *roles):
        self.admin = admin
        self.name = uuid.uuid4().hex
        self.project = self.made("project")
        self.user = self.made("user", password="a-long-password")
        known = admin.get("/v3/roles").expect(200).json()["roles"]
        self.roles = {role["name"]: role["id"] for role in known}
        for role in roles:
            self.give(role)

    def made(self, kind, **fields):
        answer = self.admin.post(f"/v3/{kind}s", {kind: {"name": self.name, **fields}})
        return answer.expect(201).json()[kind]["id"]

    def grant(self, role):
        return f"/v3/projects/{self.project}/users/{self.user}/roles/{self.roles[role]}"

    def give(self, role):
        self.admin.put(self.grant(role)).expect(204)

    def take(self, role):
        self.admin.delete(self.grant(role)).expect(204)

    def client(self, server):
        return harness.Client(server, {"auth": {
            "username": self.name, "password": "a-long-password", "project_name": self.name}})


def change(admin, kind, known, **fields):
    admin.request("PATCH", f"/v3/{kind}s/{known}", json={kind: fields}).expect(200)


def revoke(client):
    client.delete("/v3/auth/tokens", headers={"X-Subject-Token": client.token}).expect(204)


@pytest.fixture
def doubter(fresh_server):
    """A server that asks for each request anew."""
    return fresh_server(environment=BELIEVES_NOTHING)


def test_a_revoked_token_is_good_for_as_long_as_it_is_believed(doubter, fresh_server):
    believer = fresh_server(environment=BELIEVES_LONG)
    demo = doubter.client("demo")
    other = believer.client()
    other.token = demo.token
    for client in (demo, other):
        client.get("/v2/images").expect(200)
    revoke(demo)
    refused = demo.get("/v2/images").expect(401)
    url = doubter.clouds()["demo"]["auth"]["auth_url"]
    assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{url}"'
    other.get("/v2/images").expect(200)


def test_a_role_that_is_taken_away_is_missed_at_once(doubter):
    account = Account(doubter.client("admin"), "member", "reader")
    user = account.client(doubter)
    user.create_image()
    account.take("member")
    user.post("/v2/images", {"name": "x"}).expect(403)
    user.get("/v2/images").expect(200)
    account.take("reader")
    user.get("/v2/images").expect(401)
    account.give("member")
    user.create_image()


@pytest.mark.parametrize("kind", ["project", "user"])
def test_who_is_disabled_is_refused(doubter, kind):
    account = Account(doubter.client("admin"), "member")
    user = account.client(doubter)
    user.get("/v2/images").expect(200)
    change(account.admin, kind, getattr(account, kind), enabled=False)
    user.get("/v2/images").expect(401)
    change(account.admin, kind, getattr(account, kind), enabled=True)
    # Keystone counts in seconds when it revoked: a token of the same second is refused, too.
    harness.wait_until(lambda: account.client(doubter).get("/v2/images").status == 200,
                       what="a token that is good")


def test_an_access_key_has_the_rights_of_its_user(doubter):
    admin = doubter.client("admin")
    account = Account(admin, "member")
    client = account.client(doubter)
    signed = Signed(doubter, make_key(client))
    assert signed.post("/v2/images", json={"name": "x"}).expect(201).json()["owner"] == (
        account.project)
    account.give("reader")
    account.take("member")
    assert signed.post("/v2/images", json={"name": "y"}).status == 403
    signed.get("/v2/images").expect(200)
    change(admin, "user", account.user, enabled=False)
    assert signed.get("/v2/images").status == 401
    change(admin, "user", account.user, enabled=True)
    signed.get("/v2/images").expect(200)
    change(admin, "project", account.project, enabled=False)
    assert signed.get("/v2/images").status == 401


def test_a_token_without_a_project_reaches_no_image(server):
    nobody = server.client()
    login = harness.password_login(server.clouds()["demo"]["auth"], scope=False)
    login["auth"]["scope"] = "unscoped"
    nobody.token = nobody.post("/v3/auth/tokens", login).expect(201).headers["X-Subject-Token"]
    assert "not scoped to a project" in nobody.get("/v2/images").expect(401).text
    nobody.get("/v1/cloudimages/quota").expect(401)


def test_the_role_admin_administers_and_another_may_count_as_it(fresh_server):
    server = fresh_server(config='[policy]\nrole_aliases = { manager = "admin" }\n')
    admin = server.client("admin")
    image = server.client("demo").create_image()["id"]
    admin.get(f"/v2/images/{image}").expect(200)
    Account(admin, "member").client(server).get(f"/v2/images/{image}").expect(404)
    Account(admin, "manager").client(server).get(f"/v2/images/{image}").expect(200)


def test_only_projects_that_are_there_and_enabled_become_members(admin, demo):
    domain = admin.post("/v3/domains", {"domain": {"name": uuid.uuid4().hex}}).expect(201) \
        .json()["domain"]["id"]
    inside = admin.post("/v3/projects", {"project": {"name": "inside", "domain_id": domain}}) \
        .expect(201).json()["project"]["id"]
    change(admin, "domain", domain, enabled=False)
    disabled = Account(admin).project
    change(admin, "project", disabled, enabled=False)
    good = Account(admin).project
    refused = ["f" * 32, ".", "..", "default", inside, disabled]
    image = demo.create_image(b"x")["id"]
    job = demo.share([image], [*refused, good])
    assert job["status"] == "FAIL"
    assert {pair["project_id"]: pair["error_code"] for pair in job["entities"]["results"]
            if pair["status"] == "failed"} == dict.fromkeys(refused, "IMG.0108")
    assert demo.members(image) == {good: "pending"}


def test_a_service_may_go_on_with_a_token_that_expired(fresh_server):
    with keystone.running(token_seconds=4) as known:
        server = fresh_server(accounts=identity.Keystone(known.clouds_file),
                              environment=BELIEVES_LONG)
        demo, nova, alt = (server.client(name) for name in ("demo", "vitrine", "alt"))
        image = demo.create_image()["id"]
        harness.wait_until(lambda: demo.get("/v2/images").status == 401, what="the expiry")
        nova.login()
        alt.login()
        path = f"/v2/images/{image}/file"
        for token, status in [(alt.token, 401), ("nonsense", 401), (nova.token, 204)]:
            demo.request("PUT", path, body=b"late", headers={
                "X-Service-Token": token, "Content-Type": "application/octet-stream"}) \
                .expect(status)
        demo.login()
        assert demo.show(image)["checksum"] == harness.md5(b"late")


@pytest.fixture(scope="module")
def breakable():
    """A Keystone that no other test asks."""
    with keystone.running() as known:
        yield known


@pytest.fixture
def believer(breakable, fresh_server):
    """A server that asks the breakable one, rarely."""
    return fresh_server(accounts=identity.Keystone(breakable.clouds_file), environment={
        **BELIEVES_LONG, "VITRINE_IDENTITY_TIMEOUT_SECONDS": "1"})


def judge_outage(known, unknown):
    """While Keystone is away: who is known goes on, who is not is told to come again."""
    known.get("/v2/images").expect(200)
    assert unknown.get("/v2/images").expect(503).json()["code"] == "503 Service Unavailable"
    assert unknown.get("/v1/cloudimages/quota").expect(503).code() == "IMG.0064"
    unknown.get("/healthcheck").expect(200)


def test_keystone_may_be_away_for_a_while(breakable, believer):
    demo, alt, third = (believer.client(name) for name in ("demo", "alt", "third"))
    image = demo.create_image(b"x")["id"]
    breakable.stop()
    try:
        judge_outage(demo, alt)
        # What had to be asked fails, pair by pair; nothing is believed of what was not said.
        job = demo.share([image], [alt.project_id])
        assert (job["status"], job["error_code"]) == ("FAIL", "IMG.0064")
        assert demo.members(image) == {}
        believer.restart()  # it starts without Keystone, too
        demo.get("/v2/images").expect(503)
    finally:
        breakable.start()
    for client in (demo, alt, third):
        client.get("/v2/images").expect(200)
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"


def test_keystone_may_hang(breakable, believer):
    demo, alt = believer.client("demo"), believer.client("alt")
    demo.get("/v2/images").expect(200)
    breakable.hold()
    try:
        judge_outage(demo, alt)
    finally:
        breakable.go_on()
    alt.get("/v2/images").expect(200)


@pytest.mark.parametrize("wrong, event", [
    ({"VITRINE_IDENTITY_PASSWORD": "wrong"}, "identity.service_login_failed"),
    ({"VITRINE_IDENTITY_USERNAME": "demo", "VITRINE_IDENTITY_PROJECT": "demo"},
     "give it the role service")])
def test_a_service_that_may_not_ask_says_so_in_the_log(fresh_server, wrong, event):
    server = fresh_server(environment=wrong)
    alt = server.client("alt")
    alt.get("/v2/images").expect(503)
    assert event in server.log()


def test_a_service_that_is_not_in_the_catalog_says_so(fresh_server):
    region = uuid.uuid4().hex
    server = fresh_server(environment={"VITRINE_IDENTITY_REGION": region})
    assert "identity.not_in_catalog" in server.log()
    admin = server.client("admin")
    admin.post("/v3/regions", {"region": {"id": region}}).expect(201)
    service = admin.post("/v3/services", {"service": {"type": "image", "name": region}}) \
        .expect(201).json()["service"]["id"]
    admin.post("/v3/endpoints", {"endpoint": {
        "service_id": service, "interface": "public", "region_id": region, "url": server.url}}) \
        .expect(201)
    server.stop()
    told = server.log().count("identity.not_in_catalog")
    server.start()
    assert server.log().count("identity.not_in_catalog") == told


def test_what_is_for_the_built_in_identity_only_is_refused_in_words(server, tmp_path):
    url = server.clouds()["admin"]["auth"]["auth_url"]
    nobody = server.client()
    for method, path in [("GET", "/v3"), ("GET", "/v3/projects"), ("DELETE", "/v3/auth/tokens")]:
        with nobody.raw() as connection:
            connection.send(nobody.head_lines(method, path))
            assert connection.answer().expect(404).json()["error"]["message"] \
                == f"Identity is served by the Keystone at {url}."
    outcome = run(server, "identity", "--standalone", server.directory, "user", "list")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "these commands are for the built-in identity" in outcome.stderr
    outcome = run(server, "serve", "--standalone", tmp_path / "demo", "--demo", "--listen",
                  "127.0.0.1:0")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "--demo makes accounts of the built-in identity" in outcome.stderr


def test_projects_are_named_by_their_id_only(fresh_server):
    """A name was taken, and the key or the limit was nobody's."""
    server = fresh_server()
    demo = server.client("demo")
    new_key(server, "k", demo)
    refusal = ("vitrine: 'demo' is not the id of a project of Keystone: 32 hex digits, or default; "
               "`openstack project show` tells it\n")
    assert keys(server, "grant", "k", "--project", "demo") == (1, refusal)
    assert quota(server, "set", "demo", "image", "7") == (1, refusal)
    assert quota(server, "show", "demo") == (1, refusal)
    assert quota(server, "set", demo.project_id, "image", "7") == (0, "")
    # What an earlier release took can be taken back.
    assert keys(server, "revoke", "k", "--project", "demo") == (
        1, "vitrine: k is not granted to demo\n")
    assert quota(server, "reset", "demo", "image") == (0, "")
