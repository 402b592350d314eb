-- Projects take turns, and images of others are looked for where only one's own are.

-- Jobs run in the order of their turn. One that is there already runs first, as it would have.
ALTER TABLE jobs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_turn ON jobs (turn, sequence) WHERE ended_at IS NULL;
DROP INDEX jobs_open;
-- The last turn of a project.
CREATE INDEX jobs_project_turn ON jobs (project_id, turn) WHERE ended_at IS NULL;

-- Decide whether an image is visible; see `visible` in images.sql.
CREATE INDEX images_own ON images (owner, id);
CREATE INDEX images_of_all ON images (id) WHERE visibility IN ('community', 'public');
DROP INDEX images_sight;
