-- Jobs that wait for other services: what they have started there, and, sealed, the rights they ask with.
ALTER TABLE jobs ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN secret TEXT NOT NULL DEFAULT '';
