-- Access keys of users in projects, and the signatures of writes that were accepted.

CREATE TABLE access_keys (
  id            TEXT PRIMARY KEY NOT NULL,
  user_id       TEXT NOT NULL,
  project_id    TEXT NOT NULL,
  description   TEXT NOT NULL,
  sealed_secret TEXT NOT NULL,
  created_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX access_keys_user ON access_keys (user_id);
CREATE INDEX access_keys_project ON access_keys (project_id);

CREATE TABLE used_signatures (
  signature TEXT PRIMARY KEY NOT NULL,
  forget_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX used_signatures_time ON used_signatures (forget_at);
