-- Rows of the audit outbox are told apart by an id that no other row has, in any database. Of several servers the
-- one named by `holder` writes a numbered row to its file; another may from `held_until` on.

ALTER TABLE audit_outbox
  ADD COLUMN id TEXT COLLATE "C" NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  ADD COLUMN holder TEXT COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0;
