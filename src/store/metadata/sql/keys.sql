-- Keys of encrypted images and who may use them.

-- name: get_key_state
SELECT state FROM encryption_keys WHERE id = $1

-- To the project itself or to its domain.
-- name: is_key_granted
SELECT 1 FROM key_grants
WHERE key_id = $1 AND grantee IN ($2, (SELECT domain_id FROM projects WHERE id = $2))
