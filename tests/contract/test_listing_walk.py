"""Walks over pages: every image exactly once, in order, for each key, direction and page size."""

import pytest

KEYS = ["name", "status", "container_format", "disk_format", "size", "id", "created_at",
        "updated_at"]
COUNT = 60


@pytest.fixture(scope="session")  # as the server: a worker may come back to this module
def crowd(server):
    """Images that share most values, so that only the tie-breakers order them."""
    demo = server.client("demo")
    return [demo.create_image(b"x" * (index % 3) if index % 2 else None, tags=["walk"],
                              name=f"walk-{index % 4}", disk_format=["raw", "qcow2"][index % 5 == 4]
                              if not index % 2 else "raw")["id"]
            for index in range(COUNT)]


def walk(client, query):
    """Ids of all pages, following `next` as clients do."""
    ids, path, pages = [], f"/v2/images?{query}", 0
    while path:
        page = client.get(path).expect(200).json()
        ids += [image["id"] for image in page["images"]]
        path = page.get("next")
        assert path is None or path.startswith("/v2/images?")
        assert "next" not in page or page["images"]
        pages += 1
        assert pages <= COUNT + 2, "the walk does not end"
    return ids


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", KEYS)
def test_a_walk_meets_each_image_once(demo, crowd, key, direction):
    """LS-03"""
    ids = walk(demo, f"tag=walk&limit=7&sort_key={key}&sort_dir={direction}")
    assert len(ids) == len(set(ids))
    assert set(ids) == set(crowd)
    whole = walk(demo, f"tag=walk&limit=1000&sort_key={key}&sort_dir={direction}")
    assert ids == whole


def test_the_default_page_and_the_largest(demo, crowd):
    """LS-13"""
    page = demo.get("/v2/images?tag=walk").expect(200).json()
    assert len(page["images"]) == 25
    assert "next" in page
    assert len(walk(demo, "tag=walk")) == COUNT
    assert len(demo.listed("tag=walk&limit=1000")) == COUNT


def test_a_page_ends_before_it_is_large(demo):
    """A page of 1000 rows was 1000 rows, of whatever size: eight lists took all the memory."""
    values = {f"p{index}": "v" * 60_000 for index in range(10)}
    ids = [demo.create_image(name=f"large-{index}", tags=["large"], kind="a",
                             **({} if index == 4 else values))["id"] for index in range(10)]
    sizes, listed, path = [], [], "/v2/images?limit=1000&tag=large&kind=a&sort=name:asc"
    while path:
        page = demo.get(path).expect(200).json()
        sizes.append(len(page["images"]))
        listed += page["images"]
        path = page.get("next")
    assert [image["id"] for image in listed] == ids
    assert sizes == [8, 2]  # 4 MiB of properties, and one that is small
    assert listed[:5] == [demo.show(image) for image in ids[:5]]
    for image in ids:
        demo.delete(f"/v2/images/{image}").expect(204)


def test_an_image_alone_is_not_large(demo):
    image = demo.create_image()["id"]
    parts = [[{"op": "add", "path": f"/p{index}", "value": "v" * 65_000} for index in half]
             for half in (range(12), range(12, 20))]
    demo.patch(f"/v2/images/{image}", parts[0]).expect(200)
    answer = demo.patch(f"/v2/images/{image}", parts[1]).expect(413)
    assert answer.message() == (
        "The limit has been exceeded on the size of the image properties in bytes. "
        "Attempted: 1300171, Maximum: 1048576")
    assert "p12" not in demo.show(image)
    demo.patch(f"/v2/images/{image}", parts[1][:4]).expect(200)
    demo.delete(f"/v2/images/{image}").expect(204)


@pytest.mark.parametrize("limit", [1, 2, 59, 60, 61])
def test_pages_of_every_size(demo, crowd, limit):
    assert set(walk(demo, f"tag=walk&limit={limit}")) == set(crowd)


def test_a_walk_with_several_keys(demo, crowd):
    ids = walk(demo, "tag=walk&limit=7&sort=name:asc,disk_format:desc,size:asc")
    assert set(ids) == set(crowd) and len(ids) == COUNT
    names = [demo.show(image)["name"] for image in ids[::10]]
    assert names == sorted(names)


def test_a_walk_over_received_and_own_images(demo, alt, crowd):
    mine = [alt.create_image(tags=["walk"])["id"] for _ in range(5)]
    for image in crowd[:9]:
        demo.post(f"/v2/images/{image}/members", {"member": alt.project_id}).expect(200)
        alt.put(f"/v2/images/{image}/members/{alt.project_id}",
                {"status": "accepted"}).expect(200)
    ids = walk(alt, "tag=walk&limit=3")
    assert set(ids) == {*mine, *crowd[:9]}
    assert len(ids) == 14
