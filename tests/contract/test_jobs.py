"""Jobs survive: killed at any point, a batch ends in the state of an undisturbed run."""

import json
import re
import time
from datetime import datetime, timezone

import pytest

import cases
import harness

IMAGES, PROJECTS, KILLS = 24, 150, 100  # more pairs than one commit takes: it resumes in mid-job


def now():
    """As a job tells its times."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rows(server):
    """Everything a share leaves behind, without what names a moment or a run."""
    query = server.database.rows
    return {
        "members": query("SELECT images.name, project_id, image_members.status FROM image_members "
                         "JOIN images ON images.id = image_id ORDER BY 1, 2"),
        "images": query("SELECT name, status, visibility, auto_shared, member_count FROM images "
                        "ORDER BY 1"),
        "jobs": query("SELECT kind, status, done, total, fault FROM jobs ORDER BY sequence"),
        "items": query("SELECT position, name, failures FROM job_items "
                       "JOIN images ON images.id = image_id ORDER BY 2, 1")}


def settings():
    # A dead worker's job is free after its lease; a short one keeps the test short.
    return "[jobs]\nlease_seconds = 1\npoll_seconds = 1\n"


@pytest.fixture
def prepared(fresh_server):
    """Servers with the same images and projects, and the body of one batch share."""
    def prepare():
        server = fresh_server(config=settings())
        admin, demo = server.client("admin"), server.client("demo")
        projects = admin.projects(PROJECTS)
        images = [demo.create_image(b"x", name=f"image-{index:02d}")["id"]
                  for index in range(IMAGES)]
        return server, demo, {"images": images, "projects": projects}
    return prepare


def comparable(server, body):
    """The rows with project ids replaced by their place, so that two servers can be compared."""
    places = {project: f"p{index:03d}" for index, project in enumerate(body["projects"])}
    found = rows(server)
    found["members"] = sorted((image, places[project], status)
                              for image, project, status in found["members"])
    return found


def clear(demo, body):
    """Takes every member away again, so that the next run begins where the first did."""
    answer = demo.request("DELETE", "/v1/cloudimages/members", json=body).expect(200)
    demo.wait_job(answer.json()["job_id"], 60)


@pytest.mark.heavy
def test_a_batch_that_is_killed_anywhere_ends_as_if_it_had_not_been(prepared, rng):
    quiet, demo, body = prepared()
    started = time.monotonic()
    job = demo.share(body["images"], body["projects"])
    undisturbed_seconds = time.monotonic() - started
    assert job["status"] == "SUCCESS"
    expected = comparable(quiet, body)
    expected_results = [pair["status"] for pair in job["entities"]["results"]]
    assert len(expected_results) == IMAGES * PROJECTS

    server, demo, body = prepared()
    interrupted = 0
    for _ in range(KILLS):
        job_id = demo.post("/v1/cloudimages/members", body).expect(200).json()["job_id"]
        moment = time.monotonic() + rng.random() * undisturbed_seconds
        while time.monotonic() < moment:
            pass  # a random point of the run, finer than a scheduler's sleep
        server.kill()
        interrupted += rows(server)["jobs"][-1][1] in ("init", "running", "INIT", "RUNNING")
        server.start()
        job = demo.wait_job(job_id, 60)
        assert job["status"] == "SUCCESS", job
        assert [pair["status"] for pair in job["entities"]["results"]] == expected_results
        found = comparable(server, body)
        assert found["members"] == expected["members"]
        assert found["images"] == expected["images"]
        assert found["jobs"][-1] == expected["jobs"][-1]
        clear(demo, body)
    print(f"{interrupted} of {KILLS} kills met an unfinished job")
    assert interrupted >= KILLS // 10


def test_a_job_is_there_as_soon_as_it_was_answered(prepared):
    server, demo, body = prepared()
    job_id = demo.post("/v1/cloudimages/members", body).expect(200).json()["job_id"]
    server.kill()
    server.start()
    assert demo.wait_job(job_id, 60)["status"] == "SUCCESS"
    assert len(demo.members(body["images"][-1])) == PROJECTS


def test_sigterm_hands_running_jobs_back(prepared):
    server, demo, body = prepared()
    jobs = [demo.post("/v1/cloudimages/members", body).expect(200).json()["job_id"]
            for _ in range(5)]
    assert server.stop() == 0
    server.start()
    assert {demo.wait_job(job, 60)["status"] for job in jobs} == {"SUCCESS"}


@pytest.mark.heavy
def test_orderly_restarts_in_mid_job_are_no_reason_to_give_up(fresh_server):
    server = fresh_server(config=settings())
    admin, demo = server.client("admin"), server.client("demo")
    projects = admin.projects(250)
    images = [demo.create_image(b"x")["id"] for _ in range(100)]
    job_id = demo.post("/v1/cloudimages/members",
                       {"images": images, "projects": projects}).expect(200).json()["job_id"]
    restarts = 0
    while restarts < 40 and rows(server)["jobs"][-1][1] in ("INIT", "RUNNING"):
        assert server.stop() == 0
        server.start()
        restarts += 1
    job = demo.wait_job(job_id, 60)
    print(f"{restarts} restarts met an unfinished job")
    assert job["status"] == "SUCCESS", job
    assert len(job["entities"]["results"]) == 25000
    # The line comes a moment after the end can be read.
    harness.wait_until(lambda: '"job.ended"' in server.log(), what="the line of the log")
    ended = [json.loads(line) for line in server.log().splitlines() if '"job.ended"' in line]
    assert [(line["job_id"], line["status"]) for line in ended] == [(job_id, "SUCCESS")]
    assert ended[0]["request_id"].startswith("req-")


def test_progress_only_grows(prepared):
    server, demo, body = prepared()
    job_id = demo.post("/v1/cloudimages/members", body).expect(200).json()["job_id"]
    seen = []

    def look():
        job = demo.job(job_id)
        assert job["status"] in harness.JOB_WORDS
        seen.append((harness.JOB_WORDS.index(job["status"]),
                     job["entities"].get("process_percent", 0)))
        if job["status"] == "RUNNING":
            assert 0 <= job["entities"]["process_percent"] <= 1
            assert isinstance(job["entities"]["current_task"], str)
            assert job["end_time"] is None
        return job["status"] in ("SUCCESS", "FAIL")

    harness.wait_until(look, 30, "the end of the job")
    running = [percent for word, percent in seen if word == 1]
    assert running == sorted(running)
    job = demo.job(job_id)
    assert job["begin_time"] <= job["end_time"]
    assert server.running()


def test_times_are_utc_in_milliseconds_and_the_end_is_told_at_the_end(fresh_server):
    """BJ-17"""
    server = fresh_server(environment={"TZ": "Asia/Kolkata"})
    demo, alt = server.client("demo"), server.client("alt")
    image = demo.create_image(b"x")["id"]
    started = now()
    submitted = demo.post("/v1/cloudimages/members", {
        "images": [image], "projects": [alt.project_id, *(f"p{i}" for i in range(200))]})
    job_id = submitted.expect(200).json()["job_id"]

    def ended():
        job = demo.job(job_id)
        done = job["status"] in ("SUCCESS", "FAIL")
        assert (job["end_time"] is not None) == done, job
        return done and job

    job = harness.wait_until(ended, 30, "the end of the job")
    times = [job["begin_time"], job["end_time"]]
    assert all(re.fullmatch(cases.PATTERNS["<time_ms>"], time) for time in times), times
    assert started <= times[0] <= times[1] <= now()


def test_a_delete_body_arrives_in_chunks_too(demo, alt):
    """BJ-06"""
    image = demo.create_image(b"x")["id"]
    demo.share([image], [alt.project_id])
    text = harness.dump({"images": [image], "projects": [alt.project_id]})
    with demo.raw() as connection:
        connection.send(demo.head_lines(
            "DELETE", "/v1/cloudimages/members", "Transfer-Encoding: chunked",
            "Content-Type: application/json") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text))
        answer = connection.answer().expect(200)
    assert demo.wait_job(answer.json()["job_id"])["status"] == "SUCCESS"
    assert demo.members(image) == {}
