"""One bucket by path and by the name of the host: on the real store that the chaos runs on."""

import pytest
import s3

import harness

MIB = 1 << 20


@pytest.mark.parametrize("addressing", ["path", "host"])
def test_a_bucket_is_reached(tmp_path, object_store, rng, addressing):
    endpoint = {"path": object_store.url,
                "host": object_store.url.replace("127.0.0.1", "localhost")}[addressing]
    server = harness.Server(tmp_path / "data", config=f"""
[storage]
driver = "s3"
sweep_seconds = 1
stray_seconds = 0
[s3]
endpoint = "{endpoint}"
addressing = "{addressing}"
bucket = "images"
prefix = "some/place-"
access_key = "{s3.ACCESS_KEY}"
secret_key = "{s3.SECRET_KEY}"
part_size_mib = 5
""")
    server.start()
    try:
        demo = server.client("demo")
        data = rng.randbytes(12 * MIB + 345)
        image = demo.create_image(data)
        assert demo.download(image["id"]).expect(200).body == data
        part = demo.download(image["id"], Range=f"bytes={5 * MIB - 3}-{5 * MIB + 3}").expect(206)
        assert part.body == data[5 * MIB - 3:5 * MIB + 4]
        assert server.check_blobs() == (0, ["1 blobs compared, 0 wrong"])
        demo.delete(f"/v2/images/{image['id']}").expect(204)
        harness.wait_until(lambda: server.check_blobs() == (0, ["0 blobs compared, 0 wrong"]),
                           what="an empty bucket")
    finally:
        server.finish()
