-- Uploads under way. The server that stores one touches it again and again; an upload that is not touched
-- any more is over, whatever its image says.
CREATE TABLE uploads (
  id         TEXT PRIMARY KEY NOT NULL,
  server     TEXT NOT NULL,
  touched_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_server ON uploads (server);
