-- Stored bytes. Equal content is kept once in a store; bytes without a reference are removed by the sweeper.
-- An id is 32 hex digits, and behind them @STORE for any store but the first.

-- One a store at most.
-- name: find_blobs_by_content
SELECT id FROM blobs WHERE hash_value = $1 AND size = $2

-- name: insert_blob
INSERT INTO blobs (id, size, hash_value, refs, created_at) VALUES ($1, $2, $3, 1, $4)

-- name: insert_unused_blob
INSERT INTO blobs (id, size, hash_value, refs, created_at) VALUES ($1, $2, '', 0, $3) ON CONFLICT DO NOTHING

-- name: change_blob_references
UPDATE blobs SET refs = refs + $2 WHERE id = $1

-- name: replace_blob
UPDATE blobs SET id = $2, refs = refs + 1 WHERE id = $1

-- The hash is there for its index.
-- name: replace_blob_of_images
UPDATE images SET blob_id = $2 WHERE hash_value = $3 AND blob_id = $1

-- name: list_unused_blobs
SELECT id, created_at FROM blobs WHERE refs = 0 AND substr(id, 34) = $2 ORDER BY created_at LIMIT $1

-- Without its hash nobody finds it again, so its bytes may go. One whose bytes could not be removed stands behind the
-- others from now on. Zero rows: it is in use again, or another server has given it up meanwhile.
-- name: give_up_blob
UPDATE blobs SET hash_value = '', created_at = $3 WHERE id = $1 AND refs = 0 AND created_at = $2

-- name: list_some_blobs
SELECT id FROM blobs WHERE refs > 0 AND substr(id, 34) = $2 LIMIT $1

-- name: delete_unused_blob
DELETE FROM blobs WHERE id = $1 AND refs = 0

-- name: list_blobs
SELECT id, size, hash_value, refs FROM blobs

-- The first images that have it, and how many there are. The hash is there for its index; sealed bytes have none here.
-- name: list_images_of_blob
SELECT i.id, i.owner, b.refs FROM blobs b JOIN images i ON i.hash_value = b.hash_value AND i.blob_id = b.id
WHERE b.id = $1 AND b.hash_value <> '' ORDER BY i.id LIMIT $2

-- name: list_images_of_sealed_blobs
SELECT i.blob_id, i.id, i.owner FROM image_keys k JOIN images i ON i.id = k.image_id
WHERE i.blob_id IS NOT NULL ORDER BY i.id

-- name: total_blobs
SELECT substr(id, 34), COUNT(*), COALESCE(SUM(size), 0) FROM blobs WHERE refs > 0 GROUP BY substr(id, 34)
