"""Requests that are signed with an access key (AK/SK), in both forms."""

import hashlib
import json
import os
import stat

import pytest

import identity
import signing
from harness import wait_until
from signing import Signed, make_key

BOTH = pytest.mark.parametrize("chained", [False, True], ids=["A", "B"])
PATCH = "application/openstack-images-v2.1-json-patch"


@pytest.fixture(params=[False, True], ids=["A", "B"])
def signer(server, demo, request):
    return Signed(server, make_key(demo, chained=request.param))


def refused(answer):
    assert (answer.status, answer.code()) == (401, "IMG.0087"), answer
    return answer.json()["error"]["message"]


def test_a_key_does_what_a_token_does(signer, demo, alt):
    image = signer.post("/v2/images", json={
        "name": "signed", "disk_format": "raw", "container_format": "bare"}).expect(201).json()
    demo.upload(image["id"], b"bytes").expect(204)
    assert image["owner"] == demo.project_id
    assert signer.share([image["id"]], [alt.project_id])["status"] == "SUCCESS"
    assert demo.members(image["id"]) == {alt.project_id: "pending"}
    path = f"/v1/{demo.project_id}/cloudimages/{image['id']}/members"
    members = signer.get(path).expect(200).json()["members"]
    assert [one["member_id"] for one in members] == [alt.project_id]
    assert signer.get("/v1/cloudimages/quota").expect(200).json()["quotas"]["resources"]
    signer.delete(f"/v2/images/{image['id']}").expect(204)


def test_awkward_paths_and_queries(signer):
    signer.get("/v2/images?name=a%20b%2Bc%2Fd&tag=&limit=1").expect(200)
    signer.get("/v2/images?name=%C3%A4%E2%82%AC~").expect(200)
    assert signer.get("/v2/images/a%20b%2Fc").status == 404


def test_a_write_is_accepted_once(signer):
    body = b'{"name": "once"}'
    host = "{}:{}".format(*signer.server.address)
    headers = signer.key.headers(host, "POST", "/v2/images", body,
                                 extra={"Content-Type": "application/json"})
    plain = signer.server.client()
    first = plain.request("POST", "/v2/images", body=body, headers=headers).expect(201).json()
    assert plain.request("POST", "/v2/images", body=body, headers=headers).status == 401
    assert signer.listed("name=once") == [first["id"]]
    signer.delete(f"/v2/images/{first['id']}").expect(204)


def test_a_read_by_post_may_be_repeated(signer, demo):
    image = demo.create_image(b"x")["id"]
    path = f"/v2/{demo.project_id}/images/resource_instances/action"
    body = b'{"action": "count", "matches": [{"key": "resource_id", "value": "%s"}]}'
    body = body.replace(b"%s", image.encode())
    headers = signer.key.headers("{}:{}".format(*signer.server.address), "POST", path, body,
                                 extra={"Content-Type": "application/json"})
    plain = signer.server.client()
    for _ in range(3):
        answer = plain.request("POST", path, body=body, headers=headers).expect(200)
        assert answer.json()["total_count"] == 1


def test_replays_are_known_after_a_restart(fresh_server):
    server = fresh_server()
    key = make_key(server.client("demo"))
    headers = key.headers("{}:{}".format(*server.address), "POST", "/v2/images", b"{}",
                          extra={"Content-Type": "application/json"})
    server.client().request("POST", "/v2/images", body=b"{}", headers=headers).expect(201)
    server.restart()  # on another port; the Host that was signed stays as it is
    again = server.client().request("POST", "/v2/images", body=b"{}", headers=headers)
    assert again.status == 401


def test_all_that_is_wrong_looks_the_same(server, alt):
    key = make_key(alt)
    unknown = signing.Key("A" * 20, key.secret)
    wrong = signing.Key(key.access, "wrong")
    path = "/v1/cloudimages/quota"
    answers = [Signed(server, unknown).get(path), Signed(server, wrong).get(path),
               Signed(server, key).get(path, date=signing.stamp(-960)),
               Signed(server, key).get(path, date=signing.stamp(960)),
               Signed(server, signing.Key("", "")).get(path)]
    assert len({refused(answer) for answer in answers}) == 1
    body = b'{"images": [], "projects": []}'
    host = "{}:{}".format(*server.address)
    headers = key.headers(host, "POST", "/v1/cloudimages/members", body)
    changed = server.client().request("POST", "/v1/cloudimages/members", body=body + b" ",
                                      headers=headers)
    refused(changed)
    Signed(server, key).get(path).expect(200)
    refused(Signed(server, key).get(path, headers={"X-Project-Id": "another"}))
    Signed(server, key).get(path, headers={"X-Project-Id": key.project_id}).expect(200)


def test_a_long_body_is_signed_too(signer):
    body = {"images": ["00000000-0000-4000-8000-000000000000"], "projects": ["p" * 40] * 900}
    answer = signer.post("/v1/cloudimages/members", json=body)
    assert answer.status == 400
    stranger = Signed(signer.server, signing.Key("A" * 20, "x"))
    refused(stranger.post("/v1/cloudimages/members", json=body))
    wrong = Signed(signer.server, signing.Key(signer.key.access, "x"))
    refused(wrong.post("/v1/cloudimages/members", json=body))


def upload(signer, image, data, payload, seconds=0):
    return signer.request("PUT", f"/v2/images/{image}/file", body=data, payload=payload,
                          date=signing.stamp(seconds),
                          headers={"Content-Type": "application/octet-stream"})


def test_image_data_is_what_was_signed(signer, demo, rng):
    image = demo.create_image(disk_format="raw", container_format="bare")["id"]
    data = rng.randbytes(100_000)
    hashed = hashlib.sha256(data).hexdigest()
    # A second apart: two equal signatures are one.
    other = upload(signer, image, data[:-1] + b"x", hashed, seconds=-10)
    assert other.status == 400, other
    assert demo.show(image)["status"] == "queued"
    upload(signer, image, data, hashed).expect(204)
    assert demo.download(image).body == data
    unsigned = demo.create_image(disk_format="raw", container_format="bare")["id"]
    upload(signer, unsigned, data, "UNSIGNED-PAYLOAD").expect(204)


def test_a_body_may_be_unsigned_where_the_client_cannot_sign_it(signer, demo):
    image = demo.create_image()["id"]
    operations = b'[{"op": "replace", "path": "/name", "value": "patched"}]'
    signer.request("PATCH", f"/v2/images/{image}", body=operations, payload="UNSIGNED-PAYLOAD",
                   headers={"Content-Type": PATCH}).expect(200)
    assert demo.show(image)["name"] == "patched"
    body = b'{"images": [], "projects": []}'
    answer = signer.request("POST", "/v1/cloudimages/members", body=body,
                            payload="UNSIGNED-PAYLOAD",
                            headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 400


def test_wrong_signatures_are_limited(fresh_server):
    server = fresh_server(config="[identity]\nlogin_attempts_max = 3\n")
    good = Signed(server, make_key(server.client("demo")))
    other = Signed(server, make_key(server.client("demo")))
    wrong = Signed(server, signing.Key(good.key.access, "wrong"))
    good.get("/v1/cloudimages/quota").expect(200)
    for _ in range(3):
        refused(wrong.get("/v1/cloudimages/quota"))
    for _ in range(2):
        refused(good.get("/v1/cloudimages/quota"))
    other.get("/v1/cloudimages/quota").expect(200)
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert [(line["access_key"], line["address"]) for line in lines
            if line["event"] == "signature.limited"] == [(good.key.access, "127.0.0.1")]


@identity.builtin_only
def test_a_client_without_a_project_id_finds_one(server, demo):
    signed = Signed(server, make_key(demo))
    for name in ("RegionOne", "demo"):
        found = signed.get(f"/v3/projects?name={name}").expect(200).json()["projects"]
        assert [one["id"] for one in found] == [demo.project_id]
    assert signed.get("/v3/projects?name=alt").status == 403
    domains = signed.get("/v3/auth/domains?name=Default").expect(200).json()["domains"]
    assert [one["id"] for one in domains] == ["default"]
    catalog = signed.get("/v3/auth/catalog").expect(200).json()["catalog"]
    assert "image" in [one["type"] for one in catalog]


@identity.builtin_only
def test_keys_on_the_wire(server, demo, alt):
    path = f"/v3/users/{demo.user_id}/credentials/OS-EC2"
    key = make_key(demo)
    shown = demo.get(f"{path}/{key.access}").expect(200).json()["credential"]
    assert (shown["access"], shown["tenant_id"]) == (key.access, demo.project_id)
    assert "secret" not in shown
    listed = demo.get(path).expect(200)
    assert key.access in [one["access"] for one in listed.json()["credentials"]]
    assert key.secret not in listed.text
    assert alt.get(path).status == 403
    assert alt.get(f"/v3/users/{alt.user_id}/credentials/OS-EC2/{key.access}").status == 404
    assert demo.post(path, {"tenant_id": alt.project_id}).status == 400
    assert demo.post(path, {"tenant_id": "nowhere"}).status == 404
    assert demo.post(path, {}).status == 400
    signed = Signed(server, key)
    assert signed.post(path, json={"tenant_id": demo.project_id}).status == 403
    assert signed.delete(f"{path}/{key.access}").status == 403
    signed.get("/v1/cloudimages/quota").expect(200)
    demo.delete(f"{path}/{key.access}").expect(204)
    refused(signed.get("/v1/cloudimages/quota"))


@identity.builtin_only
def test_keys_from_the_command_line_are_nowhere_in_the_clear(fresh_server):
    server = fresh_server()
    status, text = signing.command(server, "create", "--user", "demo", "--project", "demo",
                                   "--description", "nightly")
    assert status == 0, text
    lines = dict(line.split(": ", 1) for line in text.splitlines())
    key = signing.Key(lines["access key"], lines["secret key"], lines["project id"])
    Signed(server, key).get("/v1/cloudimages/quota").expect(200)
    status, text = signing.command(server, "list", "--user", "demo")
    assert status == 0 and key.access in text and "nightly" in text and key.secret not in text
    seal = server.directory / "access-keys.key"
    assert stat.S_IMODE(os.stat(seal).st_mode) == 0o600
    wait_until(lambda: any(event["event_type"] == "identity.access_key.create"
                           for event in server.events()))
    assert signing.command(server, "delete", key.access) == (0, "")
    assert signing.command(server, "delete", key.access)[0] != 0
    server.stop()
    secrets = (key.secret.encode(), seal.read_bytes().strip())
    for path in server.directory.rglob("*"):
        if path.is_file() and path != seal:
            assert not any(secret in path.read_bytes() for secret in secrets), path
    assert key.secret not in server.log()
