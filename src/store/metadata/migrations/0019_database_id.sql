-- By which the places that hold image data know whose they are.
CREATE TABLE database_id (
  one INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
  id  TEXT NOT NULL
);
