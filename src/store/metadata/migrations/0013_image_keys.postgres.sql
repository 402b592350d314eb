-- Encrypted images. States of keys are known to the key service alone. Nothing wrote encryption_keys, and older
-- releases read it of encrypted images only, which they could not make.

DROP TABLE encryption_keys;

-- The data key of an image, wrapped by a master key of the key service.
CREATE TABLE image_keys (
  image_id    TEXT COLLATE "C" PRIMARY KEY NOT NULL,
  key_id      TEXT COLLATE "C" NOT NULL,
  wrapped_key TEXT COLLATE "C" NOT NULL
);
