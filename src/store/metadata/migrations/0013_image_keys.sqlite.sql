-- Encrypted images. States of keys are known to the key service alone.

DROP TABLE encryption_keys;

-- The data key of an image, wrapped by a master key of the key service.
CREATE TABLE image_keys (
  image_id    TEXT PRIMARY KEY NOT NULL,
  key_id      TEXT NOT NULL,
  wrapped_key TEXT NOT NULL
) WITHOUT ROWID;
