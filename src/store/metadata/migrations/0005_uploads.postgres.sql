-- Uploads under way. The server that stores one touches it again and again; an upload that is not touched
-- any more is over, whatever its image says.
CREATE TABLE uploads (
  id         TEXT COLLATE "C" PRIMARY KEY NOT NULL,
  server     TEXT COLLATE "C" NOT NULL,
  touched_at BIGINT NOT NULL
);
CREATE INDEX uploads_server ON uploads (server);
