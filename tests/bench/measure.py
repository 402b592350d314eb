"""What every figure needs: a client that measures, and the line that tells."""

import json
import os
import pathlib
import re
import subprocess

CONNECTIONS = 16
FAILED = []


def report(figure, value, unit, bound, holds, **reference):
    """Prints one figure. `bound` says in words what it must reach."""
    if not holds:
        FAILED.append(figure)
    print(json.dumps({"figure": figure, "value": round(value, 4), "unit": unit, "bound": bound,
                      "holds": bool(holds), **reference}), flush=True)


def cpu_seconds():
    """(busy, idle) seconds of all cores since the start of the machine."""
    text = pathlib.Path("/proc/stat").read_text()
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, text.split()[1:9])
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq + steal) / ticks, (idle + iowait) / ticks


def idle_share(run):
    """What `run()` gives, and the share of all cores that did nothing meanwhile."""
    busy, idle = cpu_seconds()
    value = run()
    busy_after, idle_after = cpu_seconds()
    return value, (idle_after - idle) / (busy_after - busy + idle_after - idle)


def wrk(url, seconds, token=None, script=None, connections=CONNECTIONS):
    """(requests a second, p99 in milliseconds) of wrk against a URL."""
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency"]
    if token:
        command += ["-H", f"X-Auth-Token: {token}"]
    if script:
        command += ["-s", str(script)]
    text = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(f"{url}: {text}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit])
