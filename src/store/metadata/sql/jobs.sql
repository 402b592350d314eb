-- Jobs: submitted in the caller's transaction, claimed by lease, finished with their effect.

-- fragment: job_columns
j.sequence, j.id, j.kind, j.project_id, j.status, j.arguments, j.caller, j.submitted_at, j.began_at, j.ended_at,
j.done, j.total, j.attempt, j.worker, j.fault, j.fault_detail, j.image_id, j.image_name, j.parent_id, j.state, j.secret

-- The turn of a new job: that of the job that is next or running now, so that the queue of another project does
-- not stand before it; but after its own project's jobs. Jobs that back off count only where there are no others:
-- they fell behind, and a project would catch up with them. Each lane has turns of its own: a long job would hold
-- up the count.
-- fragment: next_turn
SELECT MAX(first.turn) FROM (
  SELECT COALESCE(
    (SELECT o.turn FROM jobs o WHERE o.ended_at IS NULL AND o.lane = $10 AND (o.worker <> '' OR o.lease_until <= $6)
     ORDER BY o.turn LIMIT 1),
    (SELECT MIN(o.turn) FROM jobs o WHERE o.ended_at IS NULL AND o.lane = $10), 1) AS turn
  UNION ALL SELECT MAX(o.turn) + 1 FROM jobs o
    WHERE o.project_id = $3 AND o.ended_at IS NULL AND o.lane = $10) first

-- name: insert_job
INSERT INTO jobs (id, kind, project_id, status, arguments, caller, submitted_at, began_at, ended_at, done, total,
  attempt, worker, lease_until, fault, fault_detail, image_id, image_name, lane, turn, parent_id, secret)
VALUES ($1, $2, $3, 'INIT', $4, $5, $6, NULL, NULL, 0, $7, 0, '', 0, '', '', $8, $9, $10, ({next_turn}), $11, $12)
RETURNING sequence

-- name: insert_job_image
INSERT INTO job_images (image_id, sequence) VALUES ($1, $2)

-- name: get_job
SELECT {job_columns} FROM jobs j WHERE j.id = $1

-- The job of lane $2 whose turn it is, of those that may run: new, or of a worker whose lease ran out, with no earlier
-- unfinished job of its project on any of its images. Jobs of other projects neither hold it up nor tell that they
-- exist. Kinds that are not in $3, as in |one|two|, are left to others, until nobody has held them since before $4.
-- fragment: first_job_that_may_run
SELECT {job_columns} FROM jobs j
WHERE j.ended_at IS NULL AND j.lane = $2 AND j.lease_until <= $1
  AND ($3 LIKE '%|' || j.kind || '|%'
    OR CASE WHEN j.lease_until > 0 THEN j.lease_until ELSE COALESCE(j.began_at, j.submitted_at) END < $4)
  AND NOT EXISTS (
    SELECT 1 FROM job_images mine JOIN job_images earlier
      ON earlier.image_id = mine.image_id AND earlier.sequence < mine.sequence
    JOIN jobs before ON before.sequence = earlier.sequence AND before.project_id = j.project_id
    WHERE mine.sequence = j.sequence)
ORDER BY j.turn, j.sequence LIMIT 1

-- name: next_job
{first_job_that_may_run}

-- Workers of other processes look at the same time: each takes another job.
-- postgres: next_job
{first_job_that_may_run} FOR UPDATE OF j SKIP LOCKED

-- name: claim_job
UPDATE jobs SET status = 'RUNNING', worker = $2, lease_until = $3, attempt = attempt + 1,
  began_at = COALESCE(began_at, $4)
WHERE id = $1

-- Zero rows changed: the lease was lost and the worker must stop. $5 units that no other attempt has to do again: the
-- ones before were not in vain.
-- name: renew_job
UPDATE jobs SET lease_until = $4, done = $3, attempt = CASE WHEN $5 > 0 THEN 0 ELSE attempt END
WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- Progress of an attempt that another would have to make again: it does not forget earlier ones.
-- name: advance_job
UPDATE jobs SET lease_until = $4, done = $3, total = $5 WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- name: extend_job_lease
UPDATE jobs SET lease_until = $3 WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- Nobody holds it; it may run again from $3 on.
-- name: release_job
UPDATE jobs SET lease_until = $3, worker = '' WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- It waits for something elsewhere, and is in no trouble.
-- name: rest_job
UPDATE jobs SET lease_until = $3, worker = '', attempt = 0 WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- That attempt does not count.
-- name: hand_back_job
UPDATE jobs SET lease_until = $3, worker = '', attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END
WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- name: release_all_jobs
UPDATE jobs SET lease_until = 0, worker = ''
WHERE ended_at IS NULL AND worker <> ''

-- name: end_job
UPDATE jobs SET status = $3, ended_at = $4, lease_until = 0, fault = $5, fault_detail = $6, secret = ''
WHERE id = $1 AND worker = $2 AND ended_at IS NULL

-- name: set_job_image
UPDATE jobs SET image_id = $2, image_name = $3 WHERE id = $1

-- name: set_job_state
UPDATE jobs SET state = $2 WHERE id = $1

-- name: list_sub_jobs
SELECT {job_columns} FROM jobs j WHERE j.parent_id = $1 AND j.parent_id <> '' ORDER BY j.sequence

-- name: begin_sub_job
UPDATE jobs SET status = 'RUNNING', began_at = COALESCE(began_at, $2) WHERE id = $1 AND ended_at IS NULL

-- name: advance_sub_job
UPDATE jobs SET done = $2, total = $3 WHERE id = $1 AND ended_at IS NULL

-- Of a failed one no image is told any more.
-- fragment: set_sub_job_ended
UPDATE jobs SET status = $2, began_at = COALESCE(began_at, $3), ended_at = $3, fault = $4, fault_detail = $5,
  image_id = CASE WHEN $4 = '' THEN image_id ELSE '' END, image_name = CASE WHEN $4 = '' THEN image_name ELSE '' END

-- name: end_sub_job
{set_sub_job_ended} WHERE id = $1 AND ended_at IS NULL

-- All of job $1.
-- name: end_sub_jobs
{set_sub_job_ended} WHERE parent_id = $1 AND parent_id <> '' AND ended_at IS NULL

-- name: release_job_images
DELETE FROM job_images WHERE sequence = $1

-- name: insert_job_item
INSERT INTO job_items (job_id, position, image_id, failures) VALUES ($1, $2, $3, $4)

-- name: list_job_items
SELECT position, image_id, failures FROM job_items WHERE job_id = $1 ORDER BY position

-- Sub jobs go with their job.
-- name: list_expired_jobs
SELECT id FROM jobs WHERE ended_at IS NOT NULL AND ended_at < $1 AND parent_id = '' ORDER BY ended_at LIMIT $2

-- name: delete_job
DELETE FROM jobs WHERE id = $1 OR (parent_id = $1 AND parent_id <> '')

-- name: delete_job_items
DELETE FROM job_items WHERE job_id = $1

-- Jobs of a kind that have not ended: those of project $2, or of all where it is empty. Sub jobs are no jobs here.
-- name: count_jobs_of_kind
SELECT COUNT(*) FROM jobs WHERE ended_at IS NULL AND parent_id = '' AND kind = $1 AND ($2 = '' OR project_id = $2)

-- name: find_open_job_of_image
SELECT 1 FROM jobs WHERE image_id = $2 AND image_id <> '' AND kind = $1 AND ended_at IS NULL LIMIT 1

-- name: count_open_jobs
SELECT COUNT(*), COALESCE(MIN(submitted_at), 0) FROM jobs WHERE ended_at IS NULL AND parent_id = ''
