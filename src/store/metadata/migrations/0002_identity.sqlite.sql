-- Domains, projects, users, roles and who holds them, application credentials, what voids tokens.

CREATE TABLE domains (
  id          TEXT PRIMARY KEY NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX domains_name ON domains (LOWER(name));

CREATE TABLE projects (
  id          TEXT PRIMARY KEY NOT NULL,
  domain_id   TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX projects_name ON projects (domain_id, name);

CREATE TABLE users (
  id              TEXT PRIMARY KEY NOT NULL,
  domain_id       TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT NOT NULL,
  email           TEXT NOT NULL,
  default_project TEXT NOT NULL,
  enabled         INTEGER NOT NULL,
  password_hash   TEXT,
  created_at      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_name ON users (domain_id, name);

CREATE TABLE roles (
  id          TEXT PRIMARY KEY NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX roles_name ON roles (LOWER(name));

-- `scope` is project or domain, `scope_id` the id of one.
CREATE TABLE role_assignments (
  user_id  TEXT NOT NULL,
  scope    TEXT NOT NULL,
  scope_id TEXT NOT NULL,
  role_id  TEXT NOT NULL,
  PRIMARY KEY (user_id, scope, scope_id, role_id)
) WITHOUT ROWID;
CREATE INDEX role_assignments_scope ON role_assignments (scope, scope_id);
CREATE INDEX role_assignments_role ON role_assignments (role_id);

CREATE TABLE application_credentials (
  id           TEXT PRIMARY KEY NOT NULL,
  user_id      TEXT NOT NULL,
  project_id   TEXT NOT NULL,
  name         TEXT NOT NULL,
  description  TEXT NOT NULL,
  secret_hash  TEXT NOT NULL,
  expires_at   INTEGER,
  unrestricted INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX application_credentials_name ON application_credentials (user_id, name);
CREATE INDEX application_credentials_project ON application_credentials (project_id);

CREATE TABLE application_credential_roles (
  credential_id TEXT NOT NULL,
  role_id       TEXT NOT NULL,
  PRIMARY KEY (credential_id, role_id)
) WITHOUT ROWID;

-- Single tokens that were revoked; kept until they would have expired.
CREATE TABLE revoked_tokens (
  audit_id   TEXT PRIMARY KEY NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Tokens of a user (empty: of all) for a scope (empty: for all) are void if issued up to a moment.
CREATE TABLE void_tokens (
  user_id      TEXT NOT NULL,
  scope_id     TEXT NOT NULL,
  issued_until INTEGER NOT NULL,
  PRIMARY KEY (user_id, scope_id)
) WITHOUT ROWID;

-- The newest signs; a retired one verifies until no token of it can be alive.
CREATE TABLE signing_keys (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  secret     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER
);
