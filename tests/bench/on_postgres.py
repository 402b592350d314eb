"""Figures of a service whose rows are in PostgreSQL: beside pgbench on the same cluster."""

import contextlib
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "components"))

import postgres
from measure import CONNECTIONS, report, wrk
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
def service(binary):
    """The program with a durable cluster of its own."""
    cluster = postgres.Cluster(durable=True)
    try:
        cluster.sql(f"CREATE DATABASE {DATABASE}")
        url = cluster.url.rsplit("/", 1)[0] + "/" + DATABASE
        with Service(binary, {"VITRINE_DATABASE_URL": url}) as started:
            yield started, cluster
    finally:
        cluster.remove()


def pgbench_per_second(cluster, seconds):
    """Transactions a second of pgbench, each a row by its key, with as many clients as wrk has."""
    cluster.sql("CREATE DATABASE pgbench")
    bench = [postgres.programs() / "pgbench", "-h", "127.0.0.1", "-p", str(cluster.port), "-U",
             "vitrine"]
    subprocess.run([*bench, "-i", "-q", "-s", "10", "pgbench"], check=True, capture_output=True)
    text = subprocess.run(
        [*bench, "-S", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(seconds),
         "pgbench"], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"tps = ([\d.]+)", text).group(1))


def show(service, cluster, options):
    """GET /v2/images/{id} with a token against pgbench -S."""
    demo = service.login("demo")
    image = demo.create(name="shown", tags=["a", "b"], **{f"p{n}": "v" * 20 for n in range(10)})
    url = f"{service.url}/v2/images/{image}"
    seconds = 2 if options.small else 10
    reference = pgbench_per_second(cluster, seconds)
    wrk(url, 1, demo.token)
    rate, p99 = wrk(url, seconds, demo.token)
    report("postgres_show_per_second", rate, "1/s", "at least 50 % of pgbench -S",
           rate >= 0.5 * reference, pgbench=round(reference), share=round(rate / reference, 3),
           p99_ms=p99)


def page(service, cluster, options):
    """Pages of 25 for 16 clients, the first and the one that 10,000 pages come before."""
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
