-- Images, members, jobs, blobs, audit. Times are microseconds since 1970, flags 0 or 1, ids text.

CREATE TABLE images (
  id               TEXT PRIMARY KEY NOT NULL,
  owner            TEXT NOT NULL,
  name             TEXT,
  status           TEXT NOT NULL,
  visibility       TEXT NOT NULL,
  auto_shared      INTEGER NOT NULL,
  protected        INTEGER NOT NULL,
  hidden           INTEGER NOT NULL,
  deactivated_by_admin INTEGER NOT NULL,
  disk_format      TEXT,
  container_format TEXT,
  min_disk         INTEGER NOT NULL,
  min_ram          INTEGER NOT NULL,
  size             INTEGER,
  virtual_size     INTEGER,
  checksum         TEXT,
  hash_value       TEXT,
  blob_id          TEXT,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  active_at        INTEGER,
  properties       TEXT NOT NULL,
  tags             TEXT NOT NULL,
  member_count     INTEGER NOT NULL,
  upload_id        TEXT NOT NULL,
  upload_error     TEXT NOT NULL
) WITHOUT ROWID;

-- A page of a list is a range of one of these, for what a project owns and for what a visibility opens
-- (docs/decisions/0003-listing.md). The expressions are those of listing.cpp, letter by letter.
CREATE INDEX images_owner_created ON images (owner, hidden, created_at, id);
CREATE INDEX images_owner_name ON images (owner, hidden, COALESCE(name, ''), created_at, id);
CREATE INDEX images_owner_status ON images (owner, hidden, status, created_at, id);
CREATE INDEX images_owner_container ON images (owner, hidden, COALESCE(container_format, ''), created_at, id);
CREATE INDEX images_owner_disk ON images (owner, hidden, COALESCE(disk_format, ''), created_at, id);
CREATE INDEX images_owner_size ON images (owner, hidden, COALESCE(size, -1), created_at, id);
CREATE INDEX images_owner_updated ON images (owner, hidden, updated_at, created_at, id);
CREATE INDEX images_owner_id ON images (owner, hidden, id);
CREATE INDEX images_visibility_created ON images (visibility, hidden, created_at, id);
CREATE INDEX images_visibility_name ON images (visibility, hidden, COALESCE(name, ''), created_at, id);
CREATE INDEX images_visibility_status ON images (visibility, hidden, status, created_at, id);
CREATE INDEX images_visibility_container ON images (visibility, hidden, COALESCE(container_format, ''), created_at, id);
CREATE INDEX images_visibility_disk ON images (visibility, hidden, COALESCE(disk_format, ''), created_at, id);
CREATE INDEX images_visibility_size ON images (visibility, hidden, COALESCE(size, -1), created_at, id);
CREATE INDEX images_visibility_updated ON images (visibility, hidden, updated_at, created_at, id);
CREATE INDEX images_visibility_id ON images (visibility, hidden, id);
CREATE INDEX images_checksum ON images (checksum) WHERE checksum IS NOT NULL;
CREATE INDEX images_hash ON images (hash_value) WHERE hash_value IS NOT NULL;
CREATE INDEX images_saving ON images (upload_id) WHERE upload_id <> '';

-- Which images hold a property value or a tag, in the order of a list: `term` is a 64-bit hash of who may
-- see the image (an owner or an open visibility), the property's name and its value.
CREATE TABLE image_terms (
  term       INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  image_id   TEXT NOT NULL,
  PRIMARY KEY (term, created_at, image_id)
) WITHOUT ROWID;

-- Ids of deleted images are never given out again.
CREATE TABLE deleted_images (
  id         TEXT PRIMARY KEY NOT NULL,
  deleted_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE image_members (
  image_id         TEXT NOT NULL,
  project_id       TEXT NOT NULL,
  status           TEXT NOT NULL,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  image_created_at INTEGER NOT NULL,
  PRIMARY KEY (image_id, project_id)
) WITHOUT ROWID;
CREATE INDEX image_members_received ON image_members (project_id, status, image_created_at, image_id);

CREATE TABLE blobs (
  id         TEXT PRIMARY KEY NOT NULL,
  size       INTEGER NOT NULL,
  hash_value TEXT NOT NULL,
  refs       INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blobs_hash ON blobs (hash_value, size);
CREATE INDEX blobs_unused ON blobs (created_at) WHERE refs = 0;

CREATE TABLE jobs (
  sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  kind         TEXT NOT NULL,
  project_id   TEXT NOT NULL,
  status       TEXT NOT NULL,
  arguments    TEXT NOT NULL,
  caller       TEXT NOT NULL,
  submitted_at INTEGER NOT NULL,
  began_at     INTEGER,
  ended_at     INTEGER,
  done         INTEGER NOT NULL,
  total        INTEGER NOT NULL,
  attempt      INTEGER NOT NULL,
  worker       TEXT NOT NULL,
  lease_until  INTEGER NOT NULL,
  fault        TEXT NOT NULL,
  fault_detail TEXT NOT NULL
);
CREATE INDEX jobs_open ON jobs (sequence) WHERE ended_at IS NULL;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;

-- One row for each finished group of a job (an image with its projects): what failed, the rest succeeded.
CREATE TABLE job_items (
  job_id   TEXT NOT NULL,
  position INTEGER NOT NULL,
  image_id TEXT NOT NULL,
  failures TEXT NOT NULL,
  PRIMARY KEY (job_id, position)
) WITHOUT ROWID;

-- Images that an unfinished job touches; jobs of one project on one image run in submission order.
CREATE TABLE job_images (
  image_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (image_id, sequence)
) WITHOUT ROWID;
CREATE INDEX job_images_sequence ON job_images (sequence);

-- Events written with the change they report, until they are in the audit file.
CREATE TABLE audit_outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  event    TEXT NOT NULL,
  targets  TEXT NOT NULL
);

CREATE TABLE quotas (
  project_id TEXT NOT NULL,
  resource   TEXT NOT NULL,
  quota      INTEGER NOT NULL,
  PRIMARY KEY (project_id, resource)
) WITHOUT ROWID;
