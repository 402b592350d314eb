"""What tests of tags ask (contract: ims-api 9)."""

import harness


def tags_path(client, image_id, *more):
    return "/".join([f"/v2/{client.project_id}/images/{image_id}/tags", *more])


def put(client, image_id, key, value=""):
    return client.post(tags_path(client, image_id), {"tag": {"key": key, "value": value}})


def act(client, image_id, action, tags):
    return client.post(tags_path(client, image_id, "action"), {"action": action, "tags": tags})


def remove(client, image_id, key):
    return client.delete(tags_path(client, image_id, harness.quote(key)))


def put_v1(client, **body):
    return client.put("/v1/cloudimages/tags", body)


def remove_v1(client, image_id, body):
    return client.request(
        "DELETE", f"/v1/{client.project_id}/cloudimages/{image_id}/tags/delete", json=body)


def pair(key, value=""):
    return {"key": key, "value": value}


def pairs(client, image_id):
    """E27 as a list of (key, value)."""
    answer = client.get(tags_path(client, image_id)).expect(200).json()
    assert set(answer) == {"tags"}
    assert all(set(tag) == {"key", "value"} for tag in answer["tags"])
    return [(tag["key"], tag["value"]) for tag in answer["tags"]]


def strings(client, image_id):
    return sorted(client.show(image_id)["tags"])


def expect(answer, status, code=None):
    assert (answer.status, answer.code()) == (status, code), answer
    if status == 204:
        assert answer.body == b"" and answer.headers["Content-Type"] is None


def of_project(client):
    answer = client.get(f"/v2/{client.project_id}/images/tags").expect(200).json()
    assert set(answer) == {"tags"}
    return [(tag["key"], tag["values"]) for tag in answer["tags"]]


def ask(client, **body):
    return client.post(f"/v2/{client.project_id}/images/resource_instances/action", body)


def total(client, **body):
    answer = ask(client, action="count", **body).expect(200).json()
    assert set(answer) == {"total_count"}
    return answer["total_count"]


def found(client, **body):
    """(total, ids) of a filter."""
    answer = ask(client, action="filter", **body).expect(200).json()
    assert set(answer) == {"total_count", "resources"}
    return answer["total_count"], [image["resource_id"] for image in answer["resources"]]
