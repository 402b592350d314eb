"""A large file, and how long others work on it."""

import os
import subprocess
import time

GIB = 1 << 30


def big_file(service, options):
    path = service.scratch / "big"
    if not path.exists():
        size = GIB // 16 if options.small else GIB
        block = os.urandom(1 << 20)
        with path.open("wb") as file:
            for n in range(size >> 20):
                file.write(n.to_bytes(8, "little") + block[8:])
    return path


def renew(path):
    """Other bytes: the same ones again would not be stored."""
    with path.open("r+b") as file:
        file.write(os.urandom(16))


def timed(*command):
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def openssl_seconds(path):
    """The digests of a file, side by side."""
    started = time.perf_counter()
    both = [subprocess.Popen(["openssl", "dgst", f"-{name}", str(path)],
                             stdout=subprocess.DEVNULL) for name in ("md5", "sha512")]
    for process in both:
        process.wait()
    return time.perf_counter() - started


def download_seconds(service, client, image):
    """Seconds of a download."""
    return timed("curl", "-sS", "--fail", "-o", os.devnull, "-H", f"X-Auth-Token: {client.token}",
                 f"{service.url}/v2/images/{image}/file")
