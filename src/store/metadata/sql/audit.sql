-- Events on their way to the audit file.

-- name: record_event
INSERT INTO audit_outbox (id, event, targets) VALUES ($1, $2, $3)

-- One process works on a SQLite database: it may write every row.
-- name: list_events
SELECT sequence, id, event, targets FROM audit_outbox ORDER BY sequence LIMIT $2

-- postgres: list_events
SELECT sequence, id, event, targets FROM audit_outbox WHERE holder = $1 AND position IS NOT NULL
ORDER BY position LIMIT $2

-- name: delete_event
DELETE FROM audit_outbox WHERE sequence = $1

-- PostgreSQL numbers rows by the start of their transaction; the export needs the order of their appearance. Rows
-- get their number with their holder, so that of several servers one writes them.
-- name: find_unclaimed_event
SELECT 1 WHERE 1 = 0

-- postgres: find_unclaimed_event
SELECT 1 FROM audit_outbox WHERE position IS NULL OR (holder <> $1 AND held_until <= $2) LIMIT 1

-- name: claim_events
SELECT 1 WHERE 1 = 0

-- postgres: claim_events
UPDATE audit_outbox o SET position = n.position, holder = $1, held_until = $3 FROM (
  SELECT u.sequence, nextval('audit_positions') AS position FROM (
    SELECT sequence FROM audit_outbox WHERE position IS NULL OR (holder <> $1 AND held_until <= $2)
    ORDER BY sequence LIMIT 1000) u) n
WHERE o.sequence = n.sequence
