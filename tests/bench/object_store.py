"""Figures of imports from an object store and exports to it: beside the store's own rates."""

import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "components"))

import s3
from files import big_file, openssl_seconds, renew, timed
from measure import report

BUCKET = "files"
PART_BYTES = 16 << 20  # part_size_mib of [buckets]
ROUNDS = 5


class Client:
    """A plain client of the store: curl, which does not hash what it sends."""

    OPTIONS = (("aws-sigv4", "aws:amz:us-east-1:s3"), ("user", f"{s3.ACCESS_KEY}:{s3.SECRET_KEY}"),
               ("header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"), ("header", "Expect:"))

    def __init__(self, store):
        self.base = f"{store.url}/{BUCKET}"

    def command(self, *requests):
        """One that sends the requests of these options, two at a time."""
        command = ["curl", "-sS"]
        if len(requests) > 1:  # one alone would be told of on the terminal all the same
            command += ["--parallel", "--parallel-max", "2"]
        for number, request in enumerate(requests):
            command += ["--next"] * (number > 0) + ["--fail"]
            for name, value in (*self.OPTIONS, *request):
                command += [f"--{name}", str(value)]
        return command

    def run(self, *requests):
        return subprocess.run(self.command(*requests), check=True, capture_output=True,
                              text=True).stdout

    def get_seconds(self, name):
        return timed(*self.command([("url", f"{self.base}/{name}"), ("output", os.devnull)]))

    def put_seconds(self, name, parts):
        """Puts an object of these files, each a part; two at a time, as an export does."""
        url = f"{self.base}/{name}"
        started = time.perf_counter()
        begun = self.run([("url", f"{url}?uploads="), ("request", "POST")])
        upload = begun.partition("<UploadId>")[2].partition("</UploadId>")[0]
        sent = self.run(*([("url", f"{url}?partNumber={number}&uploadId={upload}"),
                           ("upload-file", part), ("output", os.devnull),
                           ("write-out", f"{number} %header{{etag}}\\n")]
                          for number, part in enumerate(parts, 1))).splitlines()
        listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                         for number, etag in sorted((int(number), etag) for number, etag in
                                                    map(str.split, sent)))
        whole = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        ended = self.run([("url", f"{url}?uploadId={upload}"), ("data", whole)])
        took = time.perf_counter() - started
        if "<ETag>" not in ended:
            raise RuntimeError(f"put: {ended}")
        return took


def parts_of(path):
    """The file in pieces, each a file of its own beside it."""
    parts = []
    with path.open("rb") as whole:
        while piece := whole.read(PART_BYTES):
            parts.append(path.with_name(f"part-{len(parts)}"))
            parts[-1].write_bytes(piece)
    return parts


@contextlib.contextmanager
def store_of(service):
    """An object store with a bucket that the service reaches for the project of demo."""
    store = s3.ObjectStore()
    try:
        store.add_bucket(BUCKET)
        project = service.login("demo").project
        service.stop()
        service.environment.update(
            VITRINE_BUCKETS_DRIVER="s3", VITRINE_BUCKETS_ENDPOINT=store.url,
            VITRINE_BUCKETS_ACCESS_KEY=s3.ACCESS_KEY, VITRINE_BUCKETS_SECRET_KEY=s3.SECRET_KEY,
            VITRINE_BUCKETS_ALLOW=f"{project}:{BUCKET}")
        service.start()
        yield store
    finally:
        store.remove()


def import_round(demo, store, path, parts):
    """Seconds of an import, of the store's own GET and of the digests."""
    client = Client(store)
    renew(parts[0])
    client.put_seconds("in", parts)
    os.sync()
    took = {}
    took["import"], _ = demo.finished_job("/v2/cloudimages/action", {
        "name": "imported", "image_url": f"{BUCKET}:in", "min_disk": 1})
    took["get"] = client.get_seconds("in")
    took["openssl"] = openssl_seconds(path)
    (store.root / BUCKET / "in").unlink()
    return took


def export_round(demo, store, path, parts, image):
    """Seconds of an export, of the store's own PUT and of the digests. What either writes is gone
    before the other begins: new memory costs more than what was just freed."""
    took = {}
    os.sync()
    took["put"] = Client(store).put_seconds("own", parts)
    (store.root / BUCKET / "own").unlink()
    os.sync()
    took["export"], _ = demo.finished_job(f"/v1/cloudimages/{image}/file", {
        "bucket_url": f"{BUCKET}:out", "is_quick_export": True})
    (store.root / BUCKET / "out").unlink()
    took["openssl"] = openssl_seconds(path)
    return took


def tell(figure, own, rounds, path):
    """Of an import or export: its rate beside the slower of what the store does itself and
    openssl."""
    megabytes = path.stat().st_size / 1e6
    share = statistics.median(max(took[own], took["openssl"]) / took[figure] for took in rounds)
    rates = {name: megabytes / statistics.median(took[name] for took in rounds)
             for name in (figure, own, "openssl")}
    report(figure, rates.pop(figure), "MB/s",
           f"at least 80 % of the slower of the store's own {own.upper()} and openssl",
           share >= 0.8, **{name: round(rate) for name, rate in rates.items()},
           share=round(share, 3))


def imports(service, options):
    """An import from an object store against the slower of the store's own GET and openssl."""
    path = big_file(service, options)
    parts = parts_of(path)
    with store_of(service) as store:
        demo = service.login("demo")
        tell("import", "get", [import_round(demo, store, path, parts) for _ in range(ROUNDS)],
             path)


def exports(service, options):
    """An export to an object store against the slower of the store's own PUT and openssl."""
    path = big_file(service, options)
    parts = parts_of(path)
    with store_of(service) as store:
        demo = service.login("demo")
        with path.open("rb") as data:
            image = demo.create(data)
        # The first reads the disk: what was stored went past the cache.
        rounds = [export_round(demo, store, path, parts, image) for _ in range(ROUNDS + 1)][1:]
        tell("export", "put", rounds, path)
