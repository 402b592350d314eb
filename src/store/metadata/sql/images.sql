-- Images. Each read is one statement; row_to_image (images.cpp) reads the columns in this order.

-- fragment: image_columns
i.id, i.owner, i.name, i.status, i.visibility, i.auto_shared, i.protected, i.hidden, i.deactivated_by_admin,
i.disk_format, i.container_format, i.min_disk, i.min_ram, i.size, i.virtual_size, i.checksum, i.hash_value,
i.blob_id, i.created_at, i.updated_at, i.active_at, i.properties, i.tags, i.member_count, i.upload_id, i.upload_error

-- name: get_image
SELECT {image_columns} FROM images i WHERE i.id = $1

-- The id, if it is that of an image visible to project $2, whose caller administers the service ($3 = 1) or not.
-- SQLite looks among the project's own images, those of everybody, and the project's memberships: an image of
-- others is in none of them, as an id of none is. To find it and judge then would take longer, and tell a stranger
-- that it exists.
-- fragment: visible
SELECT $1 WHERE EXISTS (SELECT 1 FROM images i INDEXED BY images_own WHERE i.owner = $2 AND i.id = $1)
  OR EXISTS (SELECT 1 FROM images i INDEXED BY images_of_all
    WHERE i.id = $1 AND i.visibility IN ('community', 'public'))
  OR EXISTS (SELECT 1 FROM image_members m CROSS JOIN images i ON i.id = m.image_id
    WHERE m.image_id = $1 AND m.project_id = $2 AND i.visibility = 'shared')
  OR $3 = 1 AND EXISTS (SELECT 1 FROM images i WHERE i.id = $1)

-- PostgreSQL keeps long values apart and fetches them for the answer only. In place of the join it might read all
-- that the project is a member of.
-- fragment: visible_to_member
FROM images i LEFT JOIN image_members m ON m.image_id = i.id AND m.project_id = $2
WHERE i.id = $1 AND ($3 = 1 OR i.owner = $2 OR i.visibility IN ('community', 'public')
  OR i.visibility = 'shared' AND m.status IS NOT NULL)

-- name: is_image_visible
{visible}
-- postgres: is_image_visible
SELECT i.id {visible_to_member}

-- The image, if it is visible, with the caller's own membership, in one read.
-- name: get_visible_image
SELECT {image_columns}, m.status
FROM images i LEFT JOIN image_members m ON m.image_id = i.id AND m.project_id = $2
WHERE i.id = ({visible})
-- postgres: get_visible_image
SELECT {image_columns}, m.status {visible_to_member}

-- name: insert_image
INSERT INTO images (id, owner, name, status, visibility, auto_shared, protected, hidden, deactivated_by_admin,
  disk_format, container_format, min_disk, min_ram, size, virtual_size, checksum, hash_value, blob_id,
  created_at, updated_at, active_at, properties, tags, member_count, upload_id, upload_error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
  $23, $24, $25, $26)

-- Everything but the counters and what never changes. The caller holds the row (lock_image) or a write unit.
-- name: update_image
UPDATE images SET owner = $2, name = $3, status = $4, visibility = $5, auto_shared = $6, protected = $7,
  hidden = $8, deactivated_by_admin = $9, disk_format = $10, container_format = $11, min_disk = $12,
  min_ram = $13, size = $14, virtual_size = $15, checksum = $16, hash_value = $17, blob_id = $18,
  updated_at = $19, active_at = $20, properties = $21, tags = $22, upload_id = $23, upload_error = $24
WHERE id = $1

-- name: change_member_count
UPDATE images SET member_count = member_count + $2, visibility = $3, auto_shared = $4 WHERE id = $1

-- name: delete_image
DELETE FROM images WHERE id = $1

-- name: remember_deleted_image
INSERT INTO deleted_images (id, deleted_at) VALUES ($1, $2)

-- name: was_image_deleted
SELECT 1 FROM deleted_images WHERE id = $1

-- name: insert_image_term
INSERT INTO image_terms (term, created_at, image_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: delete_image_term
DELETE FROM image_terms WHERE term = $1 AND created_at = $2 AND image_id = $3

-- Those of a job that has not ended are its own: another attempt follows.
-- name: list_interrupted_uploads
SELECT {image_columns} FROM images i WHERE i.upload_id <> ''
  AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.id = i.upload_id)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.image_id = i.id AND j.image_id <> '' AND j.ended_at IS NULL)

-- name: total_images
SELECT status, visibility, COUNT(*), COALESCE(SUM(size), 0) FROM images GROUP BY status, visibility

-- The conditions are those of the index images_owner_name; $2 is not empty.
-- name: find_named_image
SELECT id FROM images WHERE owner = $1 AND hidden IN (0, 1) AND COALESCE(name, '') = $2 LIMIT 1

-- A part of an owner's images, by the index images_own; tags of more than $4 characters are null.
-- name: list_owned_images
SELECT i.id, i.name, i.status, i.visibility, i.protected, i.created_at,
  CASE WHEN length(i.tags) <= $4 THEN i.tags END
FROM images i WHERE i.owner = $1 AND i.id > $2 ORDER BY i.id LIMIT $3

-- name: count_owned_images
SELECT COUNT(*) FROM images WHERE owner = $1

-- name: count_images_shared_out
SELECT COUNT(*) FROM images i WHERE i.owner = $1 AND i.member_count > 0
  AND EXISTS (SELECT 1 FROM image_members m WHERE m.image_id = i.id AND m.status = 'accepted')

-- name: most_members_of_owned_image
SELECT COALESCE(MAX(member_count), 0) FROM images WHERE owner = $1 AND member_count > 0
