-- Events on their way to the audit file.

-- name: record_event
INSERT INTO audit_outbox (event, targets) VALUES ($1, $2)

-- name: list_events
SELECT sequence, event, targets FROM audit_outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- postgres: list_events
SELECT position, event, targets FROM audit_outbox WHERE position > $1 ORDER BY position LIMIT $2

-- name: delete_events
DELETE FROM audit_outbox WHERE sequence <= $1

-- postgres: delete_events
DELETE FROM audit_outbox WHERE position <= $1

-- PostgreSQL numbers rows by the start of their transaction; the export needs the order of their appearance.
-- name: find_unnumbered_event
SELECT 1 WHERE 1 = 0

-- postgres: find_unnumbered_event
SELECT 1 FROM audit_outbox WHERE position IS NULL LIMIT 1

-- name: number_events
SELECT 1 WHERE 1 = 0

-- postgres: number_events
UPDATE audit_outbox o SET position = n.position FROM (
  SELECT u.sequence, nextval('audit_positions') AS position FROM (
    SELECT sequence FROM audit_outbox WHERE position IS NULL ORDER BY sequence LIMIT 1000) u) n
WHERE o.sequence = n.sequence
