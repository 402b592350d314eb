-- What lookups, counts and figures read instead of whole rows.

-- Decides whether an image is visible: the rows of the table are as long as the documents in them.
CREATE INDEX images_sight ON images (id, owner, visibility);
-- Images and bytes by status and visibility, for the metrics.
CREATE INDEX images_totals ON images (status, visibility, size);
-- The members of the most shared image of an owner, and its number of shared images.
CREATE INDEX images_owner_members ON images (owner, member_count) WHERE member_count > 0;
DROP INDEX images_with_members;
