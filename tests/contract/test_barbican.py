"""Encrypted images whose keys are kept by a real Barbican."""

import os
import types
import uuid

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import barbican
import harness
import identity
from keyring import keys, new_key
from test_copy import copied, refused
from test_encryption import SECRET_TEXT, encrypted, told

pytestmark = identity.keystone_only
DATA = SECRET_TEXT * 5000


@pytest.fixture(scope="module", name="service")
def running_barbican():
    with barbican.running(identity.CLOUDS) as service:
        yield service


@pytest.fixture(name="start")
def server_on_barbican(service, fresh_server):
    """Starts servers that ask it each time, unless told otherwise."""
    def start(cache_seconds=0):
        return fresh_server(environment={
            "VITRINE_KEYS_DRIVER": "barbican", "VITRINE_KEYS_URL": service.url,
            "VITRINE_KEYS_TIMEOUT_SECONDS": "5",
            "VITRINE_KEYS_CACHE_SECONDS": str(cache_seconds)})
    return start


class Secrets:
    """Asks the Barbican itself, as a user or as the service."""

    def __init__(self, service, server, user=identity.ASKS_AS):
        elsewhere = types.SimpleNamespace(address=("127.0.0.1", service.port),
                                          identity=types.SimpleNamespace(address=None))
        self.barbican = harness.Client(elsewhere)
        self.barbican.token = server.client(user).token

    def call(self, method, path, status, **options):
        return self.barbican.request(method, "/v1/secrets" + path, **options).expect(status)


def test_data_is_encrypted_under_a_key_of_the_barbican(service, start):
    server = start()
    demo = server.client("demo")
    key = new_key(server, uuid.uuid4().hex, demo)
    image, source = encrypted(demo, DATA, key)
    assert image["__system__cmkid"] == key
    assert demo.download(image["id"]).body == DATA
    assert demo.download(image["id"], Range="bytes=65530-65540").body == DATA[65530:65541]
    demo.delete(f"/v2/images/{source}").expect(204)
    harness.wait_until(lambda: len(server.store.files()) == 1, what="the end of the plain bytes")
    assert SECRET_TEXT not in server.store.files()[0].read_bytes()
    assert not (server.directory / "keyring").exists()
    # The master key is what Barbican keeps, and wraps the data key.
    master = Secrets(service, server).call("GET", f"/{key}/payload", 200, headers={
        "Accept": "application/octet-stream"}).body
    ((wrapped,),) = server.database.rows("SELECT wrapped_key FROM image_keys")
    raw = bytes.fromhex(wrapped)
    bound = f"vitrine data key 1\n{key}\n{image['id']}".encode()
    data_key = AESGCM(master).decrypt(raw[:12], raw[12:], bound)
    for value in (master, data_key):
        assert len(value) == 32
        assert value not in server.log().encode() and value.hex() not in server.log()


def test_a_recipient_reads_it_while_the_key_is_granted(start):
    server = start()
    demo, alt = server.client("demo"), server.client("alt")
    key = new_key(server, uuid.uuid4().hex, demo)
    image = encrypted(demo, DATA, key)[0]["id"]
    assert demo.share([image], [alt.project_id])["error_code"] == "IMG.0099"
    assert keys(server, "grant", key, "--project", alt.project_id) == (0, "")
    assert demo.share([image], [alt.project_id])["status"] == "SUCCESS"
    assert alt.answer_share([image])["status"] == "SUCCESS"
    assert alt.download(image).body == DATA
    assert keys(server, "revoke", key, "--project", alt.project_id) == (0, "")
    assert told(alt.download(image))[0] == 403
    refused(alt, image, 400, "IMG.0197")


def test_a_domain_is_granted_by_its_id(start):
    """A name was granted, and no project of the domain could use the key."""
    server = start()
    demo = server.client("demo")
    key = new_key(server, uuid.uuid4().hex)
    status, said = keys(server, "grant", key, "--domain", "Default")
    assert status == 1 and "'Default' is not the id of a domain" in said
    assert keys(server, "grant", key, "--domain", "default") == (0, "")
    image = encrypted(demo, DATA, key)[0]["id"]
    assert demo.download(image).body == DATA


def test_keys_are_made_listed_and_disabled(start):
    server = start()
    demo = server.client("demo")
    name = uuid.uuid4().hex
    key = new_key(server, name, demo)
    assert keys(server, "create", name) == (1, f"vitrine: there is a key named {name}\n")
    image, source = encrypted(demo, b"x", key)
    line = next(line for line in keys(server, "list")[1].splitlines() if name in line)
    assert line.split()[:2] == [key, "enabled"] and line.endswith("granted to " + demo.project_id)
    for _ in range(2):  # that it is so already is as good
        assert keys(server, "disable", name) == (0, "")
    assert f"{key}  disabled" in keys(server, "list")[1]
    answer = demo.download(image["id"])
    assert answer.status == 409 and "is disabled" in answer.text
    refused(demo, source, 400, "IMG.0097", cmk_id=key)
    refused(demo, image["id"], 400, "IMG.0102")
    for _ in range(2):
        assert keys(server, "enable", key) == (0, "")
    assert demo.download(image["id"]).body == b"x"
    assert keys(server, "disable", "nowhere") == (1, "vitrine: no key: nowhere\n")


def test_the_default_key_of_a_project_is_made_once(start):
    server = start()
    demo = server.client("demo")
    for _ in range(2):
        image, _ = encrypted(demo, DATA, "ims/default")
        assert demo.download(image["id"]).body == DATA
    name = f"ims/default:{demo.project_id}"
    assert keys(server, "list")[1].count(name) == 1
    ((key,),) = server.database.rows("SELECT DISTINCT key_id FROM image_keys")
    refused(demo, image["id"], 400, "IMG.0096", cmk_id="ims/default")
    assert keys(server, "disable", key) == (0, "")
    refused(demo, image["id"], 400, "IMG.0102")
    refused(demo, demo.create_image(b"x")["id"], 400, "IMG.0097", cmk_id="ims/default")


def test_the_secret_of_a_user_is_a_key_once_the_service_may_read_it(service, start):
    server = start()
    demo = server.client("demo")
    owner = Secrets(service, server, "demo")
    made = owner.call("POST", "", 201, json={
        "name": "mine", "payload": os.urandom(32).hex(), "payload_content_type": "text/plain"})
    text = made.json()["secret_ref"].rpartition("/")[2]
    made = owner.call("POST", "", 201, json={
        "name": "mine", "payload": "A" * 43 + "=", "algorithm": "aes", "bit_length": 256,
        "payload_content_type": "application/octet-stream",
        "payload_content_encoding": "base64"})
    key = made.json()["secret_ref"].rpartition("/")[2]
    source = demo.create_image(b"x")["id"]
    grant = ("grant", key, "--project", demo.project_id)
    assert keys(server, *grant) == (1, f"vitrine: no key: {key}\n")
    refused(demo, source, 400, "IMG.0095", cmk_id=key)
    for secret in (key, text):
        owner.call("PUT", f"/{secret}/acl", 200,
                   json={"read": {"users": [server.client(identity.ASKS_AS).user_id]}})
    refused(demo, source, 400, "IMG.0099", cmk_id=key)
    assert keys(server, *grant) == (0, "")
    job = copied(demo, source, cmk_id=key)
    assert job["status"] == "SUCCESS", job
    image = job["entities"]["image_id"]
    assert demo.download(image).body == b"x"
    refused(demo, source, 400, "IMG.0095", cmk_id=text)  # of no key's length
    assert keys(server, "disable", key) == (1, "vitrine: only its owner can do this\n")
    owner.call("DELETE", f"/{key}", 204)
    answer = demo.download(image)
    assert answer.status == 409 and "does not exist" in answer.text
    refused(demo, image, 400, "IMG.0101")


def test_a_key_is_believed_for_a_while(service, start):
    server = start(cache_seconds=60)
    demo = server.client("demo")
    key = new_key(server, uuid.uuid4().hex, demo)
    image = encrypted(demo, b"x", key)[0]["id"]
    Secrets(service, server).call("DELETE", f"/{key}", 204)
    assert demo.download(image).body == b"x"
    server.restart()
    assert demo.download(image).status == 409


def test_while_it_does_not_answer_jobs_wait_and_the_rest_goes_on(service, start):
    server = start()
    demo = server.client("demo")
    key = new_key(server, uuid.uuid4().hex, demo)
    image, source = encrypted(demo, b"data", key)
    service.stop()
    try:
        assert demo.download(image["id"]).status == 503
        refused(demo, source, 400, "IMG.0018", cmk_id=key)
        assert demo.download(source).body == b"data"
        assert copied(demo, source)["status"] == "SUCCESS"
        assert "The key service does not answer." in keys(server, "list")[1]
    finally:
        service.start()
    assert demo.download(image["id"]).body == b"data"
    assert copied(demo, source, cmk_id=key)["status"] == "SUCCESS"
    assert "keys.barbican_failed" in server.log()
