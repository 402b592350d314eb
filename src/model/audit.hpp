// What is recorded of a change that was accepted or tried (contract: ims-api 11).
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"

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
inline constexpr AuditKind image_delete{"deleteImage", "delete", "image.delete"};
inline constexpr AuditKind member_create{"addMember", "create", "image.member.create"};
inline constexpr AuditKind member_update{"updateMember", "update", "image.member.update"};
inline constexpr AuditKind member_delete{"deleteMember", "delete", "image.member.delete"};
inline constexpr AuditKind tag_create{"addTag", "create", "image.tag.create"};
inline constexpr AuditKind tag_delete{"deleteTag", "delete", "image.tag.delete"};
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
};

} // namespace vitrine::model
