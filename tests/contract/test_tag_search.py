"""Images found by their tags, and the tags of many: E22, E23, E28 (contract: ims-api 9)."""

import uuid

import pytest

import harness
from tags import ask, expect, found, of_project, pair, total

UMLAUT = "ä"


def test_the_tags_of_a_project_are_those_of_its_own_images(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    assert of_project(demo) == []
    demo.create_image(tags=["env=prod", "golden", "b=2"])
    demo.create_image(tags=["env=test", "env=prod", "b=10", "b-1", "golden=yes"])
    received = alt.create_image(b"x", tags=["of=alt"])["id"]
    alt.share([received], [demo.project_id])
    demo.answer_share([received])
    assert of_project(demo) == [("b", ["10", "2"]), ("b-1", [""]), ("env", ["prod", "test"]),
                                ("golden", ["", "yes"])]
    assert of_project(alt) == [("of", ["alt"])]


def test_an_own_public_image_is_not_searched(fresh_server):
    server = fresh_server()
    demo, admin = server.client("demo"), server.client("admin")
    image = demo.create_image(tags=["env=prod"])["id"]
    admin.create_image(visibility="public", owner=demo.project_id, tags=["env=prod"])
    assert total(demo) == 1
    assert found(demo, limit=5) == (1, [image])


@pytest.fixture(scope="module", name="stock")
def stock_of_images(tmp_path_factory):
    """A server with images of demo in the order of their names, and some of others."""
    server = harness.Server(tmp_path_factory.mktemp("stock") / "data").start()
    demo, alt = server.client("demo"), server.client("alt")
    made = {}
    for name, tags in [("a", ["env=prod", "golden"]), ("B", ["env=test"]), ("c", ["env=prod"]),
                       ("d", []), ("e", ["golden=", "tier=1", "env=dev"]), ("Ärger", ["tier=2"])]:
        made[name] = demo.create_image(name=name, tags=tags)["id"]
    made[""] = demo.create_image(name=..., tags=["nameless"])["id"]
    for at, image in enumerate(made.values()):
        server.database.rows("UPDATE images SET created_at = ? WHERE id = ?", at, image)
    received = alt.create_image(b"x", name="received", tags=["env=prod"])["id"]
    alt.share([received], [demo.project_id])
    demo.answer_share([received])
    yield demo, made
    server.finish()


def names(stock, **body):
    demo, made = stock
    name_of = {image: name for name, image in made.items()}
    body.setdefault("limit", 100)
    count, ids = found(demo, **body)
    assert count == len(ids) == total(demo, **body)
    return [name_of[image] for image in ids]


def wants(*keys, **valued):
    return [{"key": key} for key in keys] + [
        {"key": key, "values": values} for key, values in valued.items()]


@pytest.mark.parametrize("body, expected", [
    ({}, ["", "Ärger", "e", "d", "c", "B", "a"]),
    ({"tags": None, "tags_any": None, "not_tags": None, "not_tags_any": None, "matches": None,
      "without_any_tag": None}, ["", "Ärger", "e", "d", "c", "B", "a"]),
    ({"tags": wants(env=["prod"])}, ["c", "a"]),
    ({"tags": wants(env=["prod", "test"])}, ["c", "B", "a"]),
    ({"tags": wants(env=[])}, ["e", "c", "B", "a"]),
    ({"tags": wants(env=None)}, ["e", "c", "B", "a"]),
    ({"tags": wants("env", "tier")}, ["e"]),
    ({"tags": wants("golden")}, ["e", "a"]),
    ({"tags": wants(golden=[""])}, ["e", "a"]),
    ({"tags": wants(golden=["yes"])}, []),
    ({"tags": wants("en")}, []),
    ({"tags": wants("ENV")}, []),
    ({"tags_any": wants("golden", tier=["2"])}, ["Ärger", "e", "a"]),
    ({"not_tags": wants("golden", env=["prod"])}, ["", "Ärger", "e", "d", "c", "B"]),
    ({"not_tags_any": wants("golden", env=["prod"])}, ["", "Ärger", "d", "B"]),
    ({"tags": wants("env"), "not_tags": wants(env=["prod"]), "tags_any": wants("golden")}, ["e"]),
    ({"without_any_tag": True}, ["d"]),
    ({"without_any_tag": "TRUE", "tags": wants("env")}, ["d"]),
    ({"without_any_tag": True, "tags": []}, ["d"]),
    ({"without_any_tag": False, "tags": wants("tier")}, ["Ärger", "e"]),
    ({"without_any_tag": "False"}, ["", "Ärger", "e", "d", "c", "B", "a"]),
    ({"matches": [{"key": "resource_name", "value": "b"}]}, ["B"]),
    ({"matches": [{"key": "resource_name", "value": "äRG"}]}, ["Ärger"]),
    ({"matches": [{"key": "resource_name", "value": ""}]}, [""]),
    ({"matches": [{"key": "resource_name", "value": "nothing"}]}, []),
    ({"matches": [{"key": "resource_id", "value": str(uuid.uuid4())}]}, []),
    ({"matches": [{"key": "resource_id", "value": "x"}]}, [])])
def test_images_are_found_by_their_tags(stock, body, expected):
    assert names(stock, **body) == expected


def test_matches_and_tags_hold_together(stock):
    _, made = stock
    of_c = {"key": "resource_id", "value": made["c"].upper()}
    assert names(stock, matches=[of_c]) == ["c"]
    assert names(stock, matches=[of_c, {"key": "resource_name", "value": "C"}]) == ["c"]
    assert names(stock, matches=[of_c, {"key": "resource_name", "value": "a"}]) == []
    assert names(stock, matches=[of_c], tags=wants("golden")) == []


def test_pages_of_what_was_found(stock):
    demo, made = stock
    newest_first = list(reversed(made.values()))
    assert found(demo) == (7, newest_first)
    for limit, offset in [(2, 0), ("2", "1"), (3, 6), (1, 7), (1000, 0), ("1", "9" * 18)]:
        start, end = int(offset), int(offset) + int(limit)
        assert found(demo, limit=limit, offset=offset) == (7, newest_first[start:end])
    answer = ask(demo, action="filter", limit=1, offset=2).expect(200).json()
    assert answer == {"total_count": 7, "resources": [{
        "resource_id": made["e"], "resource_name": "e", "resource_detail": {"status": "queued"},
        "tags": [pair("env", "dev"), pair("golden"), pair("tier", "1")]}]}
    nameless = ask(demo, action="filter", limit=1).expect(200).json()["resources"][0]
    assert nameless["resource_name"] == ""
    for wrong in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"limit": ""}, {"limit": 1.5},
                  {"limit": True}, {"limit": -1}, {"offset": -1}, {"offset": "-1"},
                  {"offset": "9" * 30}, {"offset": []}):
        expect(ask(demo, action="filter", **wrong), 400, "IMG.0001")
        assert total(demo, **wrong) == 7


def test_ten_are_a_page_without_a_limit(fresh_server):
    demo = fresh_server().client("demo")
    for _ in range(11):
        demo.create_image()
    count, ids = found(demo)
    assert (count, len(ids)) == (11, 10)


@pytest.mark.parametrize("body, code", [
    ({"action": "Filter"}, "IMG.0001"), ({"action": None}, "IMG.0001"), ({}, "IMG.0001"),
    ({"tags": {}}, "IMG.0001"), ({"tags": ["env"]}, "IMG.0001"), ({"tags": [{}]}, "IMG.0115"),
    ({"tags": [{"key": 1}]}, "IMG.0001"), ({"tags": [{"key": "k", "values": "v"}]}, "IMG.0001"),
    ({"tags": [{"key": "k", "values": [None]}]}, "IMG.0001"),
    ({"tags": []}, "IMG.0115"), ({"tags_any": []}, "IMG.0115"), ({"not_tags": []}, "IMG.0115"),
    ({"not_tags_any": []}, "IMG.0115"),
    ({"tags": wants("")}, "IMG.0115"), ({"tags": wants("x" * 129)}, "IMG.0115"),
    ({"tags_any": wants(k=["x" * 256])}, "IMG.0115"),
    ({"not_tags": wants(k=["a", "a"])}, "IMG.0115"), ({"tags": wants("k", "k")}, "IMG.0115"),
    ({"tags": wants(*map(str, range(11)))}, "IMG.0115"),
    ({"not_tags_any": wants(k=list(map(str, range(11))))}, "IMG.0115"),
    ({"without_any_tag": "yes"}, "IMG.0001"), ({"without_any_tag": 1}, "IMG.0001"),
    ({"matches": []}, "IMG.0115"), ({"matches": {}}, "IMG.0001"), ({"matches": [1]}, "IMG.0001"),
    ({"matches": [{"key": "name", "value": "x"}]}, "IMG.0001"),
    ({"matches": [{"key": "resource_name"}]}, "IMG.0001"),
    ({"matches": [{"key": "resource_name", "value": "x"}] * 2}, "IMG.0001")])
def test_questions_that_are_wrong(server, body, code):
    demo = server.client("demo")
    for action in ("filter", "count"):
        sent = body if body == {} or "action" in body else {"action": action, **body}
        expect(ask(demo, **sent), 400, code)


def test_the_largest_questions_are_answered(stock):
    demo, _ = stock
    most = [{"key": UMLAUT * 127 + str(i), "values": [UMLAUT * 254 + str(j) for j in range(10)]}
            for i in range(10)]
    assert total(demo, tags=most) == 0
    assert total(demo, not_tags_any=most, not_tags=most) == 7
    assert total(demo, tags_any=most) == 0


def test_more_images_than_are_read_at_once(fresh_server):
    server = fresh_server()
    demo = server.client("demo")
    image = demo.create_image(name="copied", tags=["env=prod", "n" * 200])["id"]
    long = demo.create_image(name="long", tags=["env=long"] + [f"{i:0250d}" for i in range(100)])
    columns = [row[0] for row in server.database.rows(
        "SELECT name FROM pragma_table_info('images')")] if not server.database.name else [
        row[0] for row in server.database.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'images'")]
    others = ", ".join(name for name in columns if name not in ("id", "created_at"))
    ids = [str(uuid.UUID(int=(i * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128))
           for i in range(1, 2101)]
    for at in range(0, len(ids), 300):
        union = " UNION ALL ".join(f"SELECT '{each}' AS id, {1000 + at + i} AS created_at"
                                   for i, each in enumerate(ids[at:at + 300]))
        server.database.rows(
            f"INSERT INTO images (id, created_at, {others}) SELECT n.id, n.created_at, "
            f"{', '.join('i.' + name for name in others.split(', '))} FROM images i, ({union}) n "
            f"WHERE i.id = '{image}'")
    assert total(demo, tags=wants(env=["prod"])) == 2101
    assert found(demo, tags=wants(env=["long"])) == (1, [long["id"]])
    assert len(of_project(demo)) == 102
    walked = []
    for offset in range(0, 2200, 1000):
        walked += found(demo, tags=wants(env=["prod"]), limit=1000, offset=offset)[1]
    assert walked == [image] + list(reversed(ids))


def test_the_tags_of_the_images_that_fit(fresh_server):
    server = fresh_server()
    demo, alt = server.client("demo"), server.client("alt")
    demo.create_image(b"x", name="one", tags=["env=prod", "golden"])
    demo.create_image(name="two", tags=["env=test", "golden"])
    received = alt.create_image(b"x", name="three", tags=["of=alt"], visibility="shared")["id"]
    alt.create_image(b"x", tags=["secret=alt"])

    def tags(query=""):
        return demo.get("/v1/cloudimages/tags" + query).expect(200).json()
    assert tags() == {"tags": ["env=prod", "env=test", "golden"]}
    assert tags("?status=active") == {"tags": ["env=prod", "golden"]}
    assert tags("?name=two&protected=false") == {"tags": ["env=test", "golden"]}
    assert tags("?__protected=true") == {"tags": []}
    assert tags("?tag=env=test") == {"tags": ["env=test", "golden"]}
    assert tags("?limit=2") == {"tags": ["env=prod", "env=test"]}
    assert tags("?limit=2&page=2") == {"tags": ["golden"]}
    assert tags("?limit=2&page=3") == {"tags": []}
    assert tags("?limit=9223372036854775807&page=9223372036854775807") == {"tags": []}
    assert tags("?limit=0") == {"tags": []}
    assert len(tags("?limit=99999999999999999999")["tags"]) == 3
    for wrong in ("page=0", "page=x", "limit=-1"):
        answer = demo.get(f"/v1/cloudimages/tags?{wrong}")
        assert (answer.status, answer.code()) == (400, "IMG.0001")
    alt.share([received], [demo.project_id])
    assert "of=alt" not in tags()["tags"]
    demo.answer_share([received])
    assert tags()["tags"] == ["env=prod", "env=test", "golden", "of=alt"]
