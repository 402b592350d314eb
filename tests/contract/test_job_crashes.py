"""kill -9 at random points of a batch: every pair leaves exactly one line in the audit trail.

That the rows end as those of an undisturbed run is in test_jobs.py.
"""

import collections
import time

import pytest

import harness

IMAGES, PROJECTS, KILLS = 10, 30, 30


def lines_of_job(server, job_id):
    """(image, project, outcome) of every whole line about that job's pairs."""
    return [(event["target"]["id"], event["member"], event["outcome"]) for event in server.events()
            if event.get("job_id") == job_id and event["outcome"] != "pending"]


@pytest.mark.heavy
def test_every_pair_is_in_the_trail_once_whenever_the_server_is_killed(fresh_server, rng):
    server = fresh_server(config="[jobs]\nlease_seconds = 1\npoll_seconds = 1\n")
    admin, demo = server.client("admin"), server.client("demo")
    projects = admin.projects(PROJECTS)
    images = [demo.create_image(b"x")["id"] for _ in range(IMAGES)]
    unknown = "f" * 32
    body = {"images": images, "projects": [*projects, unknown]}
    expected = collections.Counter(
        (image, project, "failure" if project == unknown else "success")
        for image in images for project in body["projects"])

    started = time.monotonic()
    assert demo.share(images, body["projects"])["status"] == "FAIL"
    undisturbed_seconds = time.monotonic() - started
    for _ in range(KILLS):
        job_id = demo.post("/v1/cloudimages/members", body).expect(200).json()["job_id"]
        moment = time.monotonic() + rng.random() * 2 * undisturbed_seconds
        while time.monotonic() < moment:
            pass  # a random point of the run or of the export, finer than a scheduler's sleep
        server.kill()
        server.start()
        demo.wait_job(job_id, 60)
        harness.wait_until(lambda job=job_id: len(lines_of_job(server, job)) >= len(expected), 30,
                           "a line for every pair")
        assert collections.Counter(lines_of_job(server, job_id)) == expected
