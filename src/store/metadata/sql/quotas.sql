-- Limits that the operator set for one project; the configured defaults hold where there is no row.

-- name: get_quota
SELECT quota FROM quotas WHERE project_id = $1 AND resource = $2

-- name: set_quota
INSERT INTO quotas (project_id, resource, quota) VALUES ($1, $2, $3)
ON CONFLICT (project_id, resource) DO UPDATE SET quota = excluded.quota

-- name: remove_quota
DELETE FROM quotas WHERE project_id = $1 AND resource = $2

-- At least as many as are shared out; cheap, so that the exact count is needed near the limit only.
-- name: count_images_with_members
SELECT COUNT(*) FROM images WHERE owner = $1 AND member_count > 0
