-- Jobs that make or work on one image tell which.

ALTER TABLE jobs ADD COLUMN image_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN image_name TEXT COLLATE "C" NOT NULL DEFAULT '';

-- How many jobs of a kind are under way.
CREATE INDEX jobs_kind ON jobs (kind, project_id) WHERE ended_at IS NULL;
