-- Rows of the audit outbox are told apart by an id that no other row has, in any database.

ALTER TABLE audit_outbox ADD COLUMN id TEXT NOT NULL DEFAULT '';
UPDATE audit_outbox SET id = lower(hex(randomblob(16)));
