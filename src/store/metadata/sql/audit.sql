-- Events on their way to the audit file.

-- name: record_event
INSERT INTO audit_outbox (event, targets) VALUES ($1, $2)

-- name: list_events
SELECT sequence, event, targets FROM audit_outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- name: delete_events
DELETE FROM audit_outbox WHERE sequence <= $1
