-- Projects take turns.

-- Jobs run in the order of their turn. One that is there already runs first, as it would have.
ALTER TABLE jobs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_turn ON jobs (turn, sequence) WHERE ended_at IS NULL;
DROP INDEX jobs_open;
-- The last turn of a project.
CREATE INDEX jobs_project_turn ON jobs (project_id, turn) WHERE ended_at IS NULL;
