-- Jobs that carry image data take long: they have workers of their own.
ALTER TABLE jobs ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_lane_turn ON jobs (lane, turn, sequence) WHERE ended_at IS NULL;
DROP INDEX jobs_turn;
