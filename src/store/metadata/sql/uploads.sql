-- Uploads under way, each with the server that stores it.

-- name: insert_upload
INSERT INTO uploads (id, server, touched_at) VALUES ($1, $2, $3)

-- name: touch_uploads
UPDATE uploads SET touched_at = $2 WHERE server = $1

-- name: delete_upload
DELETE FROM uploads WHERE id = $1

-- name: delete_uploads_of_server
DELETE FROM uploads WHERE server = $1

-- name: delete_silent_uploads
DELETE FROM uploads WHERE touched_at < $1

-- name: list_uploads
SELECT id, touched_at FROM uploads
