-- What sharing must know of keys, and which images are shared.

CREATE INDEX images_with_members ON images (owner) WHERE member_count > 0;

-- Keys that images are encrypted with; `state` is enabled or disabled.
CREATE TABLE encryption_keys (
  id    TEXT COLLATE "C" PRIMARY KEY NOT NULL,
  state TEXT COLLATE "C" NOT NULL
);

-- Who besides its owner may use a key: a project, or all projects of a domain.
CREATE TABLE key_grants (
  key_id  TEXT COLLATE "C" NOT NULL,
  grantee TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key_id, grantee)
);
