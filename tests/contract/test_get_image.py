"""The policy `get_image` decides who knows of an image, on every route and in every list."""

import uuid

import pytest

import harness
from identity import builtin_only

OWNERS_ONLY = ('"get_image": "rule:context_is_admin or (role:reader and '
               '(project_id:%(owner)s or project_id:%(member_id)s))"\n')


@pytest.fixture
def strict(fresh_server, tmp_path):
    """A server whose public images are for their owners and members alone."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(OWNERS_ONLY)
    return fresh_server(config=f'[policy]\nfile = "{policy}"\n')


def routes(image, member):
    """Every route of one image: method, path, options."""
    base, batch = f"/v2/images/{image}", "/v1/cloudimages/members"
    patch = {"headers": {"Content-Type": "application/openstack-images-v2.1-json-patch"}}
    data = {"headers": {"Content-Type": "application/octet-stream"}, "body": b"x"}
    return [("GET", base, {}), ("GET", base + "/file", {}), ("PUT", base + "/file", data),
            ("PATCH", base, {**patch, "body": b'[{"op":"replace","path":"/name","value":"x"}]'}),
            ("DELETE", base, {}), ("PUT", base + "/tags/t", {}), ("DELETE", base + "/tags/t", {}),
            ("POST", base + "/actions/deactivate", {}), ("POST", base + "/actions/reactivate", {}),
            ("GET", base + "/locations", {}),
            ("POST", base + "/locations", {"json": {"url": "file:///etc/passwd"}}),
            ("GET", base + "/members", {}), ("POST", base + "/members", {"json": {"member": "p"}}),
            ("GET", f"{base}/members/{member}", {}), ("DELETE", f"{base}/members/{member}", {}),
            ("PUT", f"{base}/members/{member}", {"json": {"status": "accepted"}}),
            ("POST", batch, {"json": {"images": [image], "projects": ["p"]}}),
            ("DELETE", batch, {"json": {"images": [image], "projects": ["p"]}}),
            ("PUT", batch, {"json": {"images": [image], "project_id": member,
                                     "status": "accepted"}}),
            ("GET", f"/v1/{member}/cloudimages/{image}/members", {})]


def assert_unknown(client, image, member, extension=404):
    """Each answer is that for an id that never was, but for the id itself; `extension` is its
    status on the routes of the extension."""
    random = str(uuid.uuid4())
    for known, unknown in zip(routes(image, member), routes(random, member)):
        answers = [client.request(method, path, **options) for method, path, options in
                   (known, unknown)]
        status = extension if known[1].startswith("/v1/") else 404
        assert [answer.status for answer in answers] == [status, status], (known, answers)
        assert answers[0].text.replace(image, random) == answers[1].text, known


def test_an_image_that_may_not_be_shown_is_unknown_everywhere(strict):
    demo, alt, admin = (strict.client(name) for name in ("demo", "alt", "admin"))
    image = admin.create_image(b"x", owner=demo.project_id, visibility="public")["id"]
    assert_unknown(alt, image, alt.project_id)
    assert alt.listed() == []
    alt.get(f"/v2/images?marker={image}").expect(400)
    assert demo.listed() == admin.listed() == [image]
    assert demo.download(image).expect(200).body == b"x"


def test_what_was_shared_is_listed_by_the_membership(strict):
    demo, alt, admin = (strict.client(name) for name in ("demo", "alt", "admin"))
    image = demo.create_image(b"x", visibility="shared")["id"]
    assert alt.listed("member_status=all") == []
    demo.share([image], [alt.project_id])
    assert alt.listed("member_status=pending") == [image]
    assert alt.show(image)["id"] == image
    assert alt.download(image).expect(200).body == b"x"
    admin.patch(f"/v2/images/{image}",
                [{"op": "replace", "path": "/visibility", "value": "public"}]).expect(200)
    assert alt.show(image)["id"] == image
    assert alt.listed() == [image]
    assert strict.client("third").listed() == []


def walk(client, query):
    """Ids of each page, following `next`."""
    pages, path = [], f"/v2/images?{query}"
    while path:
        body = client.get(path).expect(200).json()
        pages.append([image["id"] for image in body["images"]])
        path = body.get("next")
        assert len(pages) < 100
    return pages


def test_pages_lead_past_rows_that_are_denied(strict):
    demo, alt, admin = (strict.client(name) for name in ("demo", "alt", "admin"))
    hidden = {"owner": demo.project_id, "visibility": "public"}
    seen = []
    for count in (1, 0, 2, 7):  # own images between stretches of denied ones
        for _ in range(count):
            admin.create_image(**hidden)
        seen.insert(0, alt.create_image()["id"])
    for _ in range(5):
        admin.create_image(**hidden)
    for limit in (1, 2, 3, 4, 14, 15):
        pages = walk(alt, f"limit={limit}")
        assert sum(pages, []) == seen, limit
        assert all(pages[:-1]) and all(len(page) <= limit for page in pages)
    assert walk(demo, "limit=4")[:3] == [demo.listed("limit=15")[at:at + 4] for at in (0, 4, 8)]


def test_an_owner_who_may_not_see_an_image_is_told_of_no_members(fresh_server, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text('"get_image": "role:reader and True:%(protected)s"\n')
    server = fresh_server(config=f'[policy]\nfile = "{policy}"\n')
    demo, alt = server.client("demo"), server.client("alt")
    shown = demo.create_image(b"x", protected=True)["id"]
    hidden = demo.post("/v2/images", {}).expect(201).json()["id"]
    demo.share([shown], [alt.project_id])
    for client in (demo, alt):
        base = f"/v1/{client.project_id}/cloudimages"
        for path in ("members", f"members/{alt.project_id}"):
            client.get(f"{base}/{shown}/{path}").expect(200)
            answer = client.get(f"{base}/{hidden}/{path}").expect(404)
            random = str(uuid.uuid4())
            unknown = client.get(f"{base}/{random}/{path}").expect(404)
            assert answer.text.replace(hidden, random) == unknown.text


@builtin_only
def test_a_useless_role_knows_of_nothing(fresh_server):
    server = fresh_server()
    admin, demo = server.client("admin"), server.client("demo")
    user = admin.post("/v3/users", {"user": {
        "name": "useless", "password": "long-enough-secret", "domain_id": "default"}})
    role = admin.post("/v3/roles", {"role": {"name": "useless"}}).expect(201).json()["role"]["id"]
    user = user.expect(201).json()["user"]["id"]
    admin.put(f"/v3/projects/{demo.project_id}/users/{user}/roles/{role}").expect(204)
    auth = {"username": "useless", "password": "long-enough-secret",
            "project_name": server.clouds()["demo"]["auth"]["project_name"]}
    useless = harness.Client(server, {"auth": auth})
    member = server.client("alt").project_id
    image = demo.create_image(b"x")["id"]
    demo.share([image], [member])
    # The extension asks for a role before it looks for an image.
    assert_unknown(useless, image, member, extension=403)
    useless.post("/v2/images", {"name": "x"}).expect(403)
    assert demo.show(image)["status"] == "active"
