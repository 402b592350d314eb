-- Who may use a key, and the data keys of encrypted images. The master keys are elsewhere.

-- To the project itself or to its domain, which is $3 where the caller knows it.
-- name: is_key_granted
SELECT 1 FROM key_grants
WHERE key_id = $1 AND grantee <> '' AND grantee IN ($2, $3, (SELECT domain_id FROM projects WHERE id = $2))

-- name: grant_key
INSERT INTO key_grants (key_id, grantee) VALUES ($1, $2) ON CONFLICT (key_id, grantee) DO NOTHING

-- name: revoke_key
DELETE FROM key_grants WHERE key_id = $1 AND grantee = $2

-- name: list_key_grants
SELECT key_id, grantee FROM key_grants ORDER BY key_id, grantee

-- name: get_image_key
SELECT key_id, wrapped_key FROM image_keys WHERE image_id = $1

-- name: add_image_key
INSERT INTO image_keys (image_id, key_id, wrapped_key) VALUES ($1, $2, $3)

-- name: count_image_keys
SELECT COUNT(*) FROM image_keys

-- name: list_keys_of_images
SELECT key_id, COUNT(*) FROM image_keys GROUP BY key_id ORDER BY key_id

-- name: delete_image_key
DELETE FROM image_keys WHERE image_id = $1
