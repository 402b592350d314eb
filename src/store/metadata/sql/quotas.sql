-- Limits that the operator set for one project; the configured defaults hold where there is no row.

-- name: get_quota
SELECT quota FROM quotas WHERE project_id = $1 AND resource = $2
