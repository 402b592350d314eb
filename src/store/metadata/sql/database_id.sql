-- By which the places that hold image data know whose they are.

-- name: make_database_id
INSERT INTO database_id (one, id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING

-- name: get_database_id
SELECT id FROM database_id
