-- Built-in identity: who exists, who holds which role, which tokens are void.

-- fragment: domain_columns
d.id, d.name, d.description, d.enabled

-- name: find_domain
SELECT {domain_columns} FROM domains d WHERE d.id = $1

-- name: find_domain_named
SELECT {domain_columns} FROM domains d WHERE LOWER(d.name) = LOWER($1)

-- name: list_domains
SELECT {domain_columns} FROM domains d
WHERE (LOWER(d.name) = LOWER($1) OR $1 IS NULL) AND (d.enabled = $2 OR $2 IS NULL) ORDER BY d.name

-- name: list_domains_of_user
SELECT {domain_columns} FROM domains d WHERE d.enabled = 1
  AND (d.id = (SELECT u.domain_id FROM users u WHERE u.id = $1)
  OR EXISTS (SELECT 1 FROM role_assignments a
  WHERE a.user_id = $1 AND a.scope = 'domain' AND a.scope_id = d.id)) ORDER BY d.name

-- name: insert_domain
INSERT INTO domains (id, name, description, enabled) VALUES ($1, $2, $3, $4)

-- fragment: project_columns
p.id, p.domain_id, p.name, p.description, p.enabled, p.created_at

-- name: find_project
SELECT {project_columns} FROM projects p WHERE p.id = $1

-- name: find_project_named
SELECT {project_columns} FROM projects p WHERE p.domain_id = $1 AND p.name = $2

-- name: list_projects
SELECT {project_columns} FROM projects p
WHERE (p.domain_id = $1 OR $1 IS NULL) AND (p.name = $2 OR $2 IS NULL)
  AND (p.enabled = $3 OR $3 IS NULL)
ORDER BY p.name, p.id

-- name: list_projects_of_user
SELECT {project_columns} FROM projects p WHERE EXISTS (SELECT 1 FROM role_assignments a
  WHERE a.user_id = $1 AND a.scope = 'project' AND a.scope_id = p.id) ORDER BY p.name, p.id

-- name: insert_project
INSERT INTO projects (id, domain_id, name, description, enabled, created_at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: update_project
UPDATE projects SET name = $2, description = $3, enabled = $4 WHERE id = $1

-- name: delete_project
DELETE FROM projects WHERE id = $1

-- fragment: user_columns
u.id, u.domain_id, u.name, u.description, u.email, u.default_project, u.enabled, u.created_at

-- name: find_user
SELECT {user_columns} FROM users u WHERE u.id = $1

-- name: find_user_named
SELECT {user_columns} FROM users u WHERE u.domain_id = $1 AND u.name = $2

-- name: get_password_hash
SELECT password_hash FROM users WHERE id = $1

-- name: list_users
SELECT {user_columns} FROM users u
WHERE (u.domain_id = $1 OR $1 IS NULL) AND (u.name = $2 OR $2 IS NULL)
  AND (u.enabled = $3 OR $3 IS NULL)
ORDER BY u.name, u.id

-- name: insert_user
INSERT INTO users (id, domain_id, name, description, email, default_project, enabled, password_hash,
  created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: update_user
UPDATE users SET name = $2, description = $3, email = $4, default_project = $5, enabled = $6
WHERE id = $1

-- name: set_password_hash
UPDATE users SET password_hash = $2 WHERE id = $1

-- name: delete_user
DELETE FROM users WHERE id = $1

-- fragment: role_columns
r.id, r.name, r.description

-- name: find_role
SELECT {role_columns} FROM roles r WHERE r.id = $1

-- name: find_role_named
SELECT {role_columns} FROM roles r WHERE LOWER(r.name) = LOWER($1)

-- name: list_roles
SELECT {role_columns} FROM roles r WHERE (LOWER(r.name) = LOWER($1) OR $1 IS NULL) ORDER BY r.name

-- name: insert_role
INSERT INTO roles (id, name, description) VALUES ($1, $2, $3)

-- name: update_role
UPDATE roles SET name = $2, description = $3 WHERE id = $1

-- name: delete_role
DELETE FROM roles WHERE id = $1

-- name: list_roles_held
SELECT {role_columns} FROM role_assignments a JOIN roles r ON r.id = a.role_id
WHERE a.user_id = $1 AND a.scope = $2 AND a.scope_id = $3 ORDER BY r.name

-- name: list_assignments
SELECT a.user_id, u.name, ud.id, ud.name, a.scope, a.scope_id, COALESCE(p.name, sd.name), sd.id,
  sd.name, {role_columns}
FROM role_assignments a
JOIN roles r ON r.id = a.role_id
JOIN users u ON u.id = a.user_id
JOIN domains ud ON ud.id = u.domain_id
LEFT JOIN projects p ON a.scope = 'project' AND p.id = a.scope_id
JOIN domains sd ON sd.id = COALESCE(p.domain_id, a.scope_id)
WHERE (a.user_id = $1 OR $1 IS NULL) AND (a.scope = $2 OR $2 IS NULL)
  AND (a.scope_id = $3 OR $3 IS NULL)
ORDER BY u.name, a.user_id, a.scope, a.scope_id, r.name

-- name: add_assignment
INSERT INTO role_assignments (user_id, scope, scope_id, role_id) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING

-- name: remove_assignment
DELETE FROM role_assignments WHERE user_id = $1 AND scope = $2 AND scope_id = $3 AND role_id = $4

-- name: remove_assignments_of_user
DELETE FROM role_assignments WHERE user_id = $1

-- name: remove_assignments_in_scope
DELETE FROM role_assignments WHERE scope = $1 AND scope_id = $2

-- name: remove_assignments_of_role
DELETE FROM role_assignments WHERE role_id = $1

-- fragment: credential_columns
c.id, c.user_id, c.project_id, c.name, c.description, c.expires_at, c.unrestricted

-- name: find_credential
SELECT {credential_columns} FROM application_credentials c WHERE c.id = $1

-- name: find_credential_named
SELECT {credential_columns} FROM application_credentials c WHERE c.user_id = $1 AND c.name = $2

-- name: get_secret_hash
SELECT secret_hash FROM application_credentials WHERE id = $1

-- name: list_credentials
SELECT {credential_columns} FROM application_credentials c
WHERE c.user_id = $1 AND (c.name = $2 OR $2 IS NULL) ORDER BY c.name

-- name: list_credential_roles
SELECT {role_columns} FROM application_credential_roles cr JOIN roles r ON r.id = cr.role_id
WHERE cr.credential_id = $1 ORDER BY r.name

-- name: insert_credential
INSERT INTO application_credentials (id, user_id, project_id, name, description, secret_hash,
  expires_at, unrestricted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: insert_credential_role
INSERT INTO application_credential_roles (credential_id, role_id) VALUES ($1, $2)
ON CONFLICT DO NOTHING

-- name: delete_credential
DELETE FROM application_credentials WHERE id = $1

-- name: delete_credentials_of_user
DELETE FROM application_credentials WHERE user_id = $1

-- name: delete_credentials_of_user_for_project
DELETE FROM application_credentials WHERE user_id = $1 AND project_id = $2

-- name: delete_credentials_of_project
DELETE FROM application_credentials WHERE project_id = $1

-- name: delete_stray_credential_roles
DELETE FROM application_credential_roles
WHERE credential_id NOT IN (SELECT id FROM application_credentials)
  OR role_id NOT IN (SELECT id FROM roles)

-- name: revoke_token
INSERT INTO revoked_tokens (audit_id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: void_tokens
INSERT INTO void_tokens (user_id, scope_id, issued_until) VALUES ($1, $2, $3)
ON CONFLICT (user_id, scope_id) DO UPDATE
SET issued_until = CASE WHEN void_tokens.issued_until > $3 THEN void_tokens.issued_until ELSE $3 END

-- name: is_token_void
SELECT 1 FROM revoked_tokens WHERE audit_id = $1
UNION ALL
SELECT 1 FROM void_tokens
WHERE user_id IN ('', $2) AND scope_id IN ('', $3) AND issued_until >= $4

-- name: forget_revoked_tokens
DELETE FROM revoked_tokens WHERE expires_at < $1

-- name: forget_void_tokens
DELETE FROM void_tokens WHERE issued_until < $1

-- name: newest_signing_key
SELECT id, secret FROM signing_keys WHERE retired_at IS NULL ORDER BY id DESC LIMIT 1

-- name: find_signing_key
SELECT id, secret FROM signing_keys WHERE id = $1

-- name: insert_signing_key
INSERT INTO signing_keys (secret, created_at) VALUES ($1, $2)

-- name: retire_signing_keys
UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL

-- name: forget_signing_keys
DELETE FROM signing_keys WHERE retired_at < $1

-- fragment: access_key_columns
k.id, k.user_id, k.project_id, k.description, k.created_at

-- name: find_access_key
SELECT {access_key_columns} FROM access_keys k WHERE k.id = $1

-- name: get_sealed_secret
SELECT sealed_secret FROM access_keys WHERE id = $1

-- name: get_any_sealed_secret
SELECT sealed_secret FROM access_keys LIMIT 1

-- name: list_access_keys
SELECT {access_key_columns} FROM access_keys k
WHERE (k.user_id = $1 OR $1 IS NULL) ORDER BY k.created_at, k.id

-- name: insert_access_key
INSERT INTO access_keys (id, user_id, project_id, description, sealed_secret, created_at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: delete_access_key
DELETE FROM access_keys WHERE id = $1

-- name: delete_access_keys_of_user
DELETE FROM access_keys WHERE user_id = $1

-- name: delete_access_keys_of_project
DELETE FROM access_keys WHERE project_id = $1

-- name: add_used_signature
INSERT INTO used_signatures (signature, forget_at) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: forget_used_signatures
DELETE FROM used_signatures
WHERE signature IN (SELECT signature FROM used_signatures WHERE forget_at < $1 LIMIT $2)

-- Those that anything goes by the id of.
-- name: list_projects_in_use
SELECT p.id, p.name FROM projects p WHERE EXISTS (SELECT 1 FROM images i WHERE i.owner = p.id)
  OR EXISTS (SELECT 1 FROM image_members m WHERE m.project_id = p.id)
  OR EXISTS (SELECT 1 FROM quotas q WHERE q.project_id = p.id)
  OR EXISTS (SELECT 1 FROM key_grants g WHERE g.grantee = p.id)
ORDER BY p.name, p.id
