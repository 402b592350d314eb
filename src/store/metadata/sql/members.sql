-- Members of images.

-- fragment: member_columns
m.image_id, m.project_id, m.status, m.created_at, m.updated_at

-- name: get_member
SELECT {member_columns} FROM image_members m WHERE m.image_id = $1 AND m.project_id = $2

-- name: list_members
SELECT {member_columns} FROM image_members m WHERE m.image_id = $1 ORDER BY m.created_at, m.project_id

-- name: add_member
INSERT INTO image_members (image_id, project_id, status, created_at, updated_at, image_created_at)
VALUES ($1, $2, 'pending', $3, $3, $4) ON CONFLICT (image_id, project_id) DO NOTHING

-- name: set_member_status
UPDATE image_members SET status = $3, updated_at = $4 WHERE image_id = $1 AND project_id = $2

-- name: remove_member
DELETE FROM image_members WHERE image_id = $1 AND project_id = $2

-- name: remove_members_of_image
DELETE FROM image_members WHERE image_id = $1
