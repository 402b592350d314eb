"""The figures of speed and size, one JSON line each, beside their references of the same run.

usage: bench.py --binary PATH [--small] [--images N] [NAME...]

NAME is one of the functions in FIGURES, or of those in ON_POSTGRES, which have a cluster of their
own. --small shrinks the amounts, to try the script itself; --images is the number of images that
postgres_page fills its database with (1,000,000). Needs nginx, wrk, openssl, curl, PostgreSQL and
Go (see tests/components/s3.py); leaves nothing behind.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import object_store
import on_postgres
from files import big_file, download_seconds, openssl_seconds, renew, timed
from measure import FAILED, report, wrk
from service import Api, Service

SORT_KEYS = ["created_at", "updated_at", "name", "status", "container_format", "disk_format",
             "size", "id"]


@contextlib.contextmanager
def nginx(root):
    """nginx over `root`, as a distribution sets it up: sendfile, one worker a core. Its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-nginx-"))
    # A worker that started as root runs as another user, who must read the files.
    work.chmod(0o755)
    (work / "nginx.conf").write_text(f"""
{'user root;' if os.getuid() == 0 else ''}
worker_processes auto; pid {work}/pid; error_log {work}/error.log; daemon off;
events {{ worker_connections 1024; }}
http {{
  sendfile on; tcp_nopush on; keepalive_requests 1000000; access_log off;
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen 127.0.0.1:{port}; root {root}; default_type application/octet-stream; }}
}}""")
    process = subprocess.Popen(["nginx", "-p", str(work), "-c", str(work / "nginx.conf")],
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(work)


def show(service, options):
    """GET /v2/images/{id} with a token against nginx serving the same bytes."""
    demo = service.login("demo")
    image = demo.create(name="shown", tags=["a", "b"], **{f"p{n}": "v" * 20 for n in range(10)})
    path = f"/v2/images/{image}"
    folder = service.scratch / "static"
    folder.mkdir()
    (folder / "image.json").write_bytes(demo.call("GET", path)[2])
    seconds = 2 if options.small else 10
    with nginx(folder) as base:
        wrk(base + "/image.json", 1)
        reference, _ = wrk(base + "/image.json", seconds)
    wrk(service.url + path, 1, demo.token)
    rate, p99 = wrk(service.url + path, seconds, demo.token)
    report("show_requests_per_second", rate, "1/s", "at least 40 % of nginx",
           rate >= 0.4 * reference, nginx=round(reference), share=round(rate / reference, 3))
    report("show_p99", p99, "ms", "under 5 ms", p99 < 5)


def create(service, options):
    """POST /v2/images with 10 properties and 2 tags, durable."""
    demo = service.login("demo")
    body = json.dumps({"name": "made", "tags": ["a", "b"],
                       **{f"property_{n}": f"value {n}" for n in range(10)}})
    script = service.scratch / "create.lua"
    script.write_text(f'wrk.method = "POST"\nwrk.body = [==[{body}]==]\n'
                      'wrk.headers["Content-Type"] = "application/json"\n')
    rate, p99 = wrk(service.url + "/v2/images", 2 if options.small else 10, demo.token, script)
    report("create_per_second", rate, "1/s", "at least 2000/s", rate >= 2000, p99_ms=p99)


def page_marker(client, query, images):
    """The marker after which the page begins that skips so many images."""
    marker = None
    while images > 0:
        step = min(images, 1000)
        path = f"/v2/images?{query}&limit={step}" + (f"&marker={marker}" if marker else "")
        marker = client.json("GET", path)["images"][-1]["id"]
        images -= step
    return marker


def median_ms(client, path, count):
    times = []
    for _ in range(count):
        started = time.perf_counter()
        status, _, _ = client.call("GET", path)
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200
    return statistics.median(times)


def page(service, options):
    """Pages of 25 out of 100,000 images of which half are visible."""
    each = 2_500 if options.small else 50_000
    clients = [service.login("demo"), service.login("alt")]
    for client in clients:
        client.create_many(each, lambda n: {
            "name": f"image-{n % 1000}", "kind": "bench", "disk_format": ["raw", "qcow2"][n % 2]})
    demo = clients[0]
    rate, p99 = wrk(service.url + "/v2/images?limit=25", 2 if options.small else 10, demo.token)
    report("pages_per_second", rate, "1/s", "at least 2000/s", rate >= 2000, p99_ms=p99)
    queries = [f"sort_key={key}&sort_dir={way}" for key in SORT_KEYS for way in ("asc", "desc")]
    for query in [*queries, "kind=bench", "name=image-7"]:
        deep = 10 if query.startswith("name=") else each - 50  # page 2,000 begins near the end
        if options.small and query.startswith("name="):
            deep = 1
        marker = page_marker(demo, query, deep)
        first = f"/v2/images?{query}&limit=25"
        # Alternating, so that both pages meet the same moments of the machine.
        pairs = [(median_ms(demo, first, 40), median_ms(demo, f"{first}&marker={marker}", 40))
                 for _ in range(5)]
        near, far = (statistics.median(column) for column in zip(*pairs))
        report(f"page_2000_over_page_1[{query}]", far / near, "times", "at most 1.3",
               far / near <= 1.3, page_1_ms=round(near, 3), page_2000_ms=round(far, 3))


def to_share(service, options):
    """Who shares, 100 images of theirs, and the projects to share them with."""
    admin, demo = service.login("admin"), service.login("demo")
    projects = [admin.json("POST", "/v3/projects", {"project": {"name": f"p{n}"}}, 201)
                ["project"]["id"] for n in range(32 if options.small else 256)]
    return demo, [demo.create(data=b"x", name=f"shared-{n}") for n in range(100)], projects


def share_seconds(client, images, projects):
    """Shares all with all by one request, POST to SUCCESS, and takes that back."""
    body = {"images": images, "projects": projects}
    path = "/v1/cloudimages/members"
    started = time.perf_counter()
    client.finished_job(path, body, pause=0.005)
    took = time.perf_counter() - started
    client.finished_job(path, body, "DELETE", pause=0.005)
    return took


def share(service, options):
    """100 images with 256 projects by one request, POST to SUCCESS; and that it is linear."""
    demo, images, projects = to_share(service, options)
    runs = 3
    whole = statistics.median(share_seconds(demo, images, projects) for _ in range(runs))
    quarter = statistics.median(share_seconds(demo, images[:25], projects)
                                for _ in range(runs))
    pairs = len(projects) * len(images)
    report("share_seconds", whole, "s", "at most 0.6 s for 25,600 pairs", whole <= 0.6,
           pairs=pairs)
    ratio = whole / (4 * quarter)
    report("share_linear", ratio, "times", "at most 1.5 times four quarters", ratio <= 1.5,
           quarter_s=round(quarter, 4))


def share_on_postgres(options):
    """100 images with 256 projects by one request, POST to SUCCESS."""
    with on_postgres.service(options) as (service, _):
        demo, images, projects = to_share(service, options)
        whole = statistics.median(share_seconds(demo, images, projects) for _ in range(3))
    report("postgres_share_seconds", whole, "s", "at most 1.5 s for 25,600 pairs", whole <= 1.5,
           pairs=len(images) * len(projects))


def put(service, token, image, path):
    return ["curl", "-sS", "--fail", "-T", str(path), "-H", f"X-Auth-Token: {token}", "-H",
            "Content-Type: application/octet-stream", "-H", "Expect:",
            f"{service.url}/v2/images/{image}/file"]


def upload_seconds(service, token, image, path):
    """Uploads by sendfile: the client shares the cores with the server, so it does the least."""
    head = (f"PUT /v2/images/{image}/file HTTP/1.1\r\nHost: bench\r\nX-Auth-Token: {token}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {path.stat().st_size}\r\n"
            "\r\n")
    with socket.create_connection(service.address) as stream, path.open("rb") as file:
        started = time.perf_counter()
        stream.sendall(head.encode())
        stream.sendfile(file)
        answer = stream.recv(1 << 16)
        took = time.perf_counter() - started
    if not answer.startswith(b"HTTP/1.1 204"):
        raise RuntimeError(f"upload: {answer!r}")
    return took


def transfer(service, options):
    """Upload against openssl's digests side by side; download against nginx with sendfile."""
    demo = service.login("demo")
    path = big_file(service, options)
    megabytes = path.stat().st_size / 1e6
    openssl_seconds(path)  # the file is in memory from here on
    pairs = []
    for n in range(5):
        renew(path)
        image = demo.create(name=f"big-{n}", disk_format="raw")
        pairs.append((upload_seconds(service, demo.token, image, path), openssl_seconds(path)))
    mine, theirs = (megabytes / statistics.median(column) for column in zip(*pairs))
    report("upload", mine, "MB/s", "at least 80 % of openssl", mine >= 0.8 * theirs,
           openssl=round(theirs), share=round(mine / theirs, 3))

    with nginx(service.scratch) as base:
        pairs = [(download_seconds(service, demo, image),
                  timed("curl", "-sS", "--fail", "-o", os.devnull, f"{base}/big"))
                 for _ in range(5)]
    mine, theirs = (megabytes / statistics.median(column) for column in zip(*pairs))
    report("download", mine, "MB/s", "at least 80 % of nginx", mine >= 0.8 * theirs,
           nginx=round(theirs), share=round(mine / theirs, 3))


def import_seconds(demo, **fields):
    """How long the job of an import worked, and its image."""
    body = {"name": "imported", "image_url": "files:big", "min_disk": 1, **fields}
    took, job = demo.finished_job("/v2/cloudimages/action", body)
    return took, job["entities"]["image_id"]


def encryption(service, options):
    """Data on its way into an encrypted image and out of it, against the same data plain."""
    demo = service.login("demo")
    path = big_file(service, options)
    megabytes = path.stat().st_size / 1e6
    bucket = service.directory / "buckets" / demo.project / "files"
    bucket.mkdir(parents=True)
    (bucket / "big").hardlink_to(path)
    pairs = []
    for _ in range(5):
        renew(path)
        (mine, sealed), (theirs, plain) = (import_seconds(demo, cmk_id="ims/default"),
                                           import_seconds(demo))
        pairs.append((mine, theirs))
    mine, theirs = (megabytes / statistics.median(column) for column in zip(*pairs))
    report("encrypted_in", mine, "MB/s", "at least 70 % of plain", mine >= 0.7 * theirs,
           plain=round(theirs), share=round(mine / theirs, 3))
    pairs = [[download_seconds(service, demo, image) for image in (sealed, plain)]
             for _ in range(6)][1:]  # the first reads the disk: what was stored went past the cache
    mine, theirs = (megabytes / statistics.median(column) for column in zip(*pairs))
    report("encrypted_out", mine, "MB/s", "at least 70 % of plain", mine >= 0.7 * theirs,
           plain=round(theirs), share=round(mine / theirs, 3))


def memory(service, options):
    """Resident memory, idle and while ten uploads run."""
    mib = 1 << 20
    idle = service.rss_bytes() / mib
    report("memory_idle", idle, "MiB", "at most 40 MiB", idle <= 40)
    demo = service.login("demo")
    path = big_file(service, options)
    images = [demo.create(name=f"ten-{n}", disk_format="raw") for n in range(10)]
    most, done = 0.0, threading.Event()

    def watch():
        nonlocal most
        while not done.wait(0.02):
            most = max(most, service.rss_bytes() / mib)

    watcher = threading.Thread(target=watch)
    watcher.start()
    uploads = [subprocess.Popen(put(service, demo.token, image, path)) for image in images]
    failed = [process.wait() for process in uploads if process.wait() != 0]
    done.set()
    watcher.join()
    assert not failed
    report("memory_ten_uploads", most, "MiB", "at most 80 MiB", most <= 80)


def start(service, options):
    """Start of the process to the first 200."""
    times = []
    for _ in range(3 if options.small else 11):
        service.stop()
        started = time.perf_counter()
        service.start()
        assert Api(service.address).call("GET", "/healthcheck")[0] == 200
        times.append((time.perf_counter() - started) * 1000)
    report("start_ms", statistics.median(times), "ms", "at most 100 ms",
           statistics.median(times) <= 100, worst_ms=round(max(times), 1))


def existence(service, options):
    """Whether the time of an answer tells an image of others from an id of none."""
    demo, alt = service.login("demo"), service.login("alt")
    fields = {f"property_{n}": "v" * 1500 for n in range(10)}
    foreign = [alt.create(visibility="private", **fields) for _ in range(100)]
    large = alt.create(visibility="private", **{f"p{n}": "v" * 60_000 for n in range(16)})
    unknown = [str(uuid.uuid4()) for _ in range(100)]

    def share(images):
        body = json.dumps({"images": images, "projects": [uuid.uuid4().hex]})
        return demo.call("POST", "/v1/cloudimages/members", body)[0]

    asked = {"100_ids": (share, [foreign], [unknown]),
             "image": (lambda image: demo.call("GET", f"/v2/images/{image}")[0],
                       foreign, unknown),
             "large_image": (lambda image: demo.call("GET", f"/v2/images/{image}")[0],
                             [large], unknown)}
    for name, (ask, theirs, nobodys) in asked.items():
        times = ([], [])
        for turn in range(200 if options.small else 2000):
            # Alternating, so that both meet the same moments of the machine.
            for column, ids in zip(times, (theirs, nobodys)):
                started = time.perf_counter()
                status = ask(ids[turn % len(ids)])
                column.append((time.perf_counter() - started) * 1e6)
                assert status == 404
        there, none = (statistics.median(column) for column in times)
        report(f"existence_{name}", abs(there / none - 1) * 100, "%", "at most 5 %",
               abs(there / none - 1) <= 0.05, there_us=round(there), none_us=round(none))


def tags(service, options):
    """What a search by tags, a count and all tags of a project with 10,000 images cost."""
    demo = service.login("demo")
    demo.create_many(1_000 if options.small else 10_000, lambda n: {
        "name": f"image-{n}", "tags": ["golden", f"env={['prod', 'test'][n % 2]}",
                                       f"team=t{n % 100}", f"build={n}", "os=linux"]})
    path = f"/v2/{demo.project}/images"
    wanted = {"tags": [{"key": "env", "values": ["prod"]}], "matches": [
        {"key": "resource_name", "value": "IMAGE"}]}
    asked = {name: ("POST", f"{path}/resource_instances/action", {"action": name, **wanted})
             for name in ("filter", "count")}
    asked["all"] = "GET", f"{path}/tags"
    turns = 10 if options.small else 40
    for name, request in asked.items():
        demo.json(*request)
        before, started = service.cpu_seconds(), time.perf_counter()
        for _ in range(turns):
            demo.json(*request)
        cpu, took = ((after - since) * 1000 / turns for after, since in (
            (service.cpu_seconds(), before), (time.perf_counter(), started)))
        report(f"tags_{name}_cpu_ms", cpu, "ms", "at most 50 ms", cpu <= 50,
               answer_ms=round(took, 1))


def metrics(service, options):
    """The first GET /metrics of a server over 100,000 images."""
    count = 2_000 if options.small else 100_000
    service.login("demo").create_many(count, lambda n: {
        "name": f"image-{n}", **{f"property_{p}": f"value {n}" for p in range(10)}})
    times = []
    for _ in range(5):
        service.stop()
        service.start()
        started = time.perf_counter()
        status, _, text = Api(service.address).call("GET", "/metrics")
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200 and b'vitrine_images{status="queued"' in text
    report("metrics_ms", statistics.median(times), "ms", "under 100 ms",
           statistics.median(times) < 100, worst_ms=round(max(times), 1))


FIGURES = {**{function.__name__: function
              for function in (start, memory, show, create, page, share, transfer, encryption,
                               existence, tags, metrics)},
           "import": object_store.imports, "export": object_store.exports}
ON_POSTGRES = {"postgres_show": on_postgres.show, "postgres_share": share_on_postgres,
               "postgres_page": on_postgres.page,
               "postgres_second_server": on_postgres.second_server}


def main():
    parser = argparse.ArgumentParser(description="Prints the figures of speed and size.")
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("figures", nargs="*", choices=[[], *FIGURES, *ON_POSTGRES],
                        metavar="NAME")
    options = parser.parse_args()
    # A figure of its own server and directory owes nothing to those before it.
    for name in options.figures or [*FIGURES, *ON_POSTGRES]:
        if name in FIGURES:
            with Service(options.binary) as service:
                FIGURES[name](service, options)
        else:
            ON_POSTGRES[name](options)
    if FAILED:
        print(f"bench: {len(FAILED)} not reached: {', '.join(FAILED)}", file=sys.stderr)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
