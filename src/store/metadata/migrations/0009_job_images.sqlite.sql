-- Jobs that make or work on one image tell which.

ALTER TABLE jobs ADD COLUMN image_id TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN image_name TEXT NOT NULL DEFAULT '';

-- How many jobs of a kind are under way.
CREATE INDEX jobs_kind ON jobs (kind, project_id) WHERE ended_at IS NULL;
