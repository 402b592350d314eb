-- Which job works on an image.
CREATE INDEX jobs_image ON jobs (image_id) WHERE image_id <> '' AND ended_at IS NULL;
