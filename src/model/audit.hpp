// What is recorded of a change that was accepted or tried (contract: ims-api 11).
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/identity.hpp"
#include "model/image.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

/// One kind of event: the public service's trace name, its CADF action, our event type.
struct AuditKind {
  std::string_view name;   ///< addMember
  std::string_view action; ///< create
  std::string_view type;   ///< image.member.create
};

namespace audit {
inline constexpr AuditKind image_create{"createImage", "create", "image.create"};
inline constexpr AuditKind image_update{"updateImage", "update", "image.update"};
inline constexpr AuditKind image_upload{"updateImage", "update", "image.upload"};
inline constexpr AuditKind image_copy{"copyImage", "create/copy", "image.copy"};
inline constexpr AuditKind image_export{"exportImage", "read/export", "image.export"};
inline constexpr AuditKind image_delete{"deleteImage", "delete", "image.delete"};
inline constexpr AuditKind member_create{"addMember", "create", "image.member.create"};
inline constexpr AuditKind member_update{"updateMember", "update", "image.member.update"};
inline constexpr AuditKind member_delete{"deleteMember", "delete", "image.member.delete"};
inline constexpr AuditKind tag_create{"addTag", "create", "image.tag.create"};
inline constexpr AuditKind tag_delete{"deleteTag", "delete", "image.tag.delete"};
inline constexpr AuditKind user_create{"createUser", "create", "identity.user.create"};
inline constexpr AuditKind user_update{"updateUser", "update", "identity.user.update"};
inline constexpr AuditKind user_delete{"deleteUser", "delete", "identity.user.delete"};
inline constexpr AuditKind project_create{"createProject", "create", "identity.project.create"};
inline constexpr AuditKind project_update{"updateProject", "update", "identity.project.update"};
inline constexpr AuditKind project_delete{"deleteProject", "delete", "identity.project.delete"};
inline constexpr AuditKind role_create{"createRole", "create", "identity.role.create"};
inline constexpr AuditKind role_update{"updateRole", "update", "identity.role.update"};
inline constexpr AuditKind role_delete{"deleteRole", "delete", "identity.role.delete"};
inline constexpr AuditKind grant_create{"grantRole", "create", "identity.role_assignment.create"};
inline constexpr AuditKind grant_delete{"revokeRole", "delete", "identity.role_assignment.delete"};
inline constexpr AuditKind credential_create{"createApplicationCredential", "create",
                                             "identity.application_credential.create"};
inline constexpr AuditKind credential_delete{"deleteApplicationCredential", "delete",
                                             "identity.application_credential.delete"};
inline constexpr AuditKind access_key_create{"createAccessKey", "create",
                                             "identity.access_key.create"};
inline constexpr AuditKind access_key_delete{"deleteAccessKey", "delete",
                                             "identity.access_key.delete"};
inline constexpr AuditKind token_delete{"revokeToken", "delete", "identity.token.delete"};
inline constexpr AuditKind key_update{"rotateKeys", "update", "identity.key.update"};
inline constexpr AuditKind data_key_create{"createKey", "create", "key.create"};
inline constexpr AuditKind data_key_update{"updateKey", "update", "key.update"};
inline constexpr AuditKind key_grant_create{"grantKey", "create", "key.grant.create"};
inline constexpr AuditKind key_grant_delete{"revokeKey", "delete", "key.grant.delete"};
inline constexpr AuditKind quota_update{"setQuota", "update", "quota.update"};
inline constexpr AuditKind quota_delete{"resetQuota", "delete", "quota.delete"};
} // namespace audit

/// A project that an event of members is about; each becomes an event of its own.
struct AuditPair {
  ProjectId project;
  std::optional<Error> failure; ///< absent: success
};

struct AuditEvent {
  AuditKind kind;
  Time time;
  Caller caller; ///< without a user: the server itself
  ImageId image;
  std::string image_name;
  ProjectId image_owner;
  JobId job;                      ///< empty outside a job
  std::vector<AuditPair> pairs;   ///< of member events; empty: one event about the image
  std::optional<Error> failure{}; ///< of an event without pairs; absent: success
};

/// The successful event about an image.
AuditEvent audit_event(AuditKind const& kind, Time time, Caller const& caller, Image const& image);

/// A job was handed in. What it then does to each pair is told by events of their own.
struct AuditSubmission {
  AuditKind kind;
  Time time;
  Caller const& caller;
  JobId const& job;
  std::span<ImageId const> images;
  std::span<ProjectId const> projects;
  std::optional<Image> about{}; ///< the image that is its target; else that is the job
};

/// Whom or what a change of identity, of a project's limits, or of a key is about. Never holds a
/// password or a secret.
struct IdentityTarget {
  enum class Type : std::uint8_t {
    user,
    project,
    role,
    application_credential,
    access_key,
    token,    ///< named by its audit id
    key,      ///< that signs tokens
    data_key, ///< that images are encrypted with
    quota,    ///< named by its project
  };
  Type type;
  std::string_view id;
  std::string_view name;
  std::span<std::string_view const> changed{}; ///< names of the fields, of an update
  std::string_view user{};                     ///< id; of a grant, a credential and a key: whose
  Scope scope{};                               ///< of the same: where it is good, or for whom
};

/// The built-in identity was changed: who exists, and who may do what; or how much a project may
/// have, or which key it may use.
struct IdentityChange {
  AuditKind kind;
  Time time;
  Caller const& caller; ///< without a user: the server itself
  IdentityTarget target;
};

} // namespace vitrine::model
