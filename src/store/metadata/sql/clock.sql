-- The time of the database, in microseconds of the Unix epoch.

-- name: database_time
SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)

-- postgres: database_time
SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint
