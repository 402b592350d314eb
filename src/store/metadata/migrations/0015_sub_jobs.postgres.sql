-- A job that makes several images tells of each in a sub job.
ALTER TABLE jobs ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_parent ON jobs (parent_id, sequence) WHERE parent_id <> '';
