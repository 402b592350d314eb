-- Uploads under way, each with the server that stores it.

-- name: insert_upload
INSERT INTO uploads (id, server, touched_at) VALUES ($1, $2, $3)

-- name: touch_upload
UPDATE uploads SET touched_at = $2 WHERE id = $1

-- name: delete_upload
DELETE FROM uploads WHERE id = $1

-- name: delete_uploads_of_server
DELETE FROM uploads WHERE server = $1

-- name: delete_unchanged_upload
DELETE FROM uploads WHERE id = $1 AND touched_at = $2

-- name: list_uploads
SELECT id, touched_at FROM uploads
