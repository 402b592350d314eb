-- Access keys of users in projects, and the signatures of writes that were accepted.

CREATE TABLE access_keys (
  id            TEXT COLLATE "C" PRIMARY KEY NOT NULL,
  user_id       TEXT COLLATE "C" NOT NULL,
  project_id    TEXT COLLATE "C" NOT NULL,
  description   TEXT COLLATE "C" NOT NULL,
  sealed_secret TEXT COLLATE "C" NOT NULL,
  created_at    BIGINT NOT NULL
);
CREATE INDEX access_keys_user ON access_keys (user_id);
CREATE INDEX access_keys_project ON access_keys (project_id);

CREATE TABLE used_signatures (
  signature TEXT COLLATE "C" PRIMARY KEY NOT NULL,
  forget_at BIGINT NOT NULL
);
CREATE INDEX used_signatures_time ON used_signatures (forget_at);
