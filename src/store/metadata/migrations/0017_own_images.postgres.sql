-- A project's images by id, one part after the other; SQLite has this index already.
CREATE INDEX images_own ON images (owner, id);
