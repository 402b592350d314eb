-- What says which migrations were applied.

-- Changes nothing, and yet must be written.
-- name: touch_migrations
UPDATE migrations SET name = name WHERE number = 1
