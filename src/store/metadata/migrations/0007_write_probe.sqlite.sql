-- One row that is written to see whether anything can be.
CREATE TABLE write_probe (
  id     INTEGER PRIMARY KEY NOT NULL,
  filler TEXT NOT NULL
);
