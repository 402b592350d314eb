"""Figures of a service whose rows are in PostgreSQL: beside pgbench on the same cluster."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "components"))

import postgres
from measure import CONNECTIONS, idle_share, report, wrk
from service import Service

DATABASE = "vitrine"
# As the service writes an image of ten properties; its terms are left out: nothing here asks them.
FILL = """
INSERT INTO images SELECT gen_random_uuid()::text, owner.id, 'image-' || i % 1000, 'active',
  'private', 0, 0, 0, 0, CASE i % 2 WHEN 0 THEN 'raw' ELSE 'qcow2' END, 'bare', 0, 0,
  i * 1048576::bigint, NULL, md5(i::text), repeat(md5(i::text), 4), 'blob',
  time.start + i, time.start + i, time.start + i, properties.text, '[]', 0, '', ''
FROM generate_series(1, {count}) i, (SELECT id FROM projects WHERE name = 'demo') owner,
  (SELECT 1700000000000000 AS start) time, (SELECT json_object_agg('property_' || n, 'value')::text
  AS text FROM generate_series(1, 10) n) properties;
"""


@contextlib.contextmanager
def database():
    """A durable cluster of its own, with an empty database; the environment of a server on it."""
    cluster = postgres.Cluster(durable=True)
    try:
        cluster.sql(f"CREATE DATABASE {DATABASE}")
        yield cluster, {"VITRINE_DATABASE_URL": cluster.url.rsplit("/", 1)[0] + "/" + DATABASE}
    finally:
        cluster.remove()


@contextlib.contextmanager
def service(options):
    with database() as (cluster, environment), Service(options.binary, environment) as started:
        yield started, cluster


def pgbench(cluster, *arguments):
    return subprocess.run(
        [postgres.programs() / "pgbench", "-h", "127.0.0.1", "-p", str(cluster.port), "-U",
         "vitrine", *arguments, "pgbench"], check=True, capture_output=True, text=True).stdout


def pgbench_per_second(cluster, seconds):
    """Transactions a second of pgbench, each a row by its key, with as many clients as wrk has."""
    text = pgbench(cluster, "-S", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T",
                   str(seconds))
    return float(re.search(r"tps = ([\d.]+)", text).group(1))


def image_to_show(demo):
    return demo.create(name="shown", tags=["a", "b"], **{f"p{n}": "v" * 20 for n in range(10)})


def show(options):
    """GET /v2/images/{id} with a token against pgbench -S."""
    with service(options) as (server, cluster):
        demo = server.login("demo")
        url = f"{server.url}/v2/images/{image_to_show(demo)}"
        cluster.sql("CREATE DATABASE pgbench")
        pgbench(cluster, "-i", "-q", "-s", "10")
        wrk(url, 1, demo.token)
        # Alternating, so that both meet the same moments of the machine.
        runs = [(*wrk(url, seconds, demo.token), pgbench_per_second(cluster, seconds))
                for seconds in [1 if options.small else 4] * 5]
    rate, p99, reference = (statistics.median(column) for column in zip(*runs))
    share = statistics.median(mine / theirs for mine, _, theirs in runs)
    report("postgres_show_per_second", rate, "1/s", "at least 50 % of pgbench -S", share >= 0.5,
           pgbench=round(reference), share=round(share, 3), p99_ms=p99)


def second_server(options):
    """What a second process adds on a machine that has room for it.

    The first one may use one core only, so that the others are free but for the database and the
    clients; the second one may use the next core.
    """
    seconds = 2 if options.small else 10
    cores = sorted(os.sched_getaffinity(0))[:2]
    with database() as (_, environment), contextlib.ExitStack() as started:
        first, second = (started.enter_context(Service(options.binary, environment, core))
                         for core in cores)
        demo = first.login("demo")
        path = f"/v2/images/{image_to_show(demo)}"

        def rate(servers):
            """Of so many clients in sum, whatever the number of servers."""
            with concurrent.futures.ThreadPoolExecutor() as pool:
                rates = pool.map(lambda server: wrk(server.url + path, seconds, demo.token,
                                                    connections=CONNECTIONS // len(servers))[0],
                                 servers)
                return sum(rates)

        rate([first, second])
        one, idle = idle_share(lambda: rate([first]))
        two = rate([first, second])
    possible = 1 / (1 - idle)
    report("postgres_second_server", two / one, "times", "at least half of what was idle gained",
           two / one >= 1 + (possible - 1) / 2, one_per_second=round(one),
           two_per_second=round(two), idle_share=round(idle, 3))


def page(options):
    """Pages of 25 for 16 clients, the first and the one that 10,000 pages come before."""
    with service(options) as (server, cluster):
        measure_pages(server, cluster, options)


def measure_pages(service, cluster, options):
    count = 2_000 if options.small else options.images
    demo = service.login("demo")
    cluster.sql(FILL.format(count=count), database=DATABASE)
    cluster.sql("VACUUM ANALYZE images", database=DATABASE)
    skipped = min(10_000 * 25, count // 2)
    [[marker]] = cluster.sql("SELECT id FROM images ORDER BY created_at DESC, id DESC "
                             f"OFFSET {skipped - 1} LIMIT 1", database=DATABASE)
    first = f"{service.url}/v2/images?limit=25"
    for name, url in (("first", first), ("deep", f"{first}&marker={marker}")):
        wrk(url, 1, demo.token)
        rate, p99 = wrk(url, 2 if options.small else 10, demo.token)
        report(f"postgres_page_{name}_p99", p99, "ms", "under 10 ms", p99 < 10, images=count,
               skipped=skipped if name == "deep" else 0, per_second=round(rate))
