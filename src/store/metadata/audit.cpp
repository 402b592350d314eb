#include "store/metadata/audit.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <optional>

namespace vitrine::store {
namespace {

constexpr std::string_view kEvent = "http://schemas.dmtf.org/cloud/audit/1.0/event";
constexpr std::size_t kNamedMax = 10; ///< images, and projects, that a submission names

struct Resource {
  std::string_view service;  ///< as the public service's trail names it
  std::string_view type;     ///< as OpenStack names it
  std::string_view type_uri; ///< as CADF names it
};

constexpr Resource kImage{"IMS", "image", "data/image"};

constexpr Resource resource_of(model::IdentityTarget::Type type) {
  switch (type) {
  case model::IdentityTarget::Type::user: return {"IAM", "user", "data/security/account/user"};
  case model::IdentityTarget::Type::project: return {"IAM", "project", "data/security/project"};
  case model::IdentityTarget::Type::role: return {"IAM", "role", "data/security/role"};
  case model::IdentityTarget::Type::access_key:
    return {"IAM", "access_key", "data/security/credential"};
  case model::IdentityTarget::Type::token: return {"IAM", "token", "data/security/credential"};
  case model::IdentityTarget::Type::key: return {"IAM", "key", "data/security/key"};
  case model::IdentityTarget::Type::data_key: return {"IMS", "key", "data/security/key"};
  case model::IdentityTarget::Type::quota: return {"IMS", "quota", "data/security/project"};
  case model::IdentityTarget::Type::application_credential: break;
  }
  return {"IAM", "application_credential", "data/security/credential"};
}

// What nobody asked for the server does itself; CADF names it by its part in the event.
void write_initiator(json::Writer& writer, model::Caller const& caller) {
  writer.key("initiator").begin_object();
  if (caller.user.empty()) {
    writer.field("id", "observer").field("typeURI", "service/storage/image");
  } else {
    writer.field("id", caller.user.text).field("typeURI", "service/security/account/user");
    writer.field("name", caller.user_name).field("project_id", caller.project.text);
    writer.field("domain_id", caller.domain.text).field("request_id", caller.request_id);
    if (!caller.address.empty()) {
      writer.key("host").begin_object().field("address", caller.address).end_object();
    }
  }
  writer.end_object();
}

// Field names follow pyCADF where it has them (contract: ims-api 11); the export adds the rest.
void write_head(json::Writer& writer, model::AuditKind const& kind, Time time,
                model::Caller const& caller, Resource const& resource) {
  writer.field("typeURI", kEvent).field("eventType", "activity");
  writer.field("eventTime", format_milliseconds(time));
  writer.field("event_type", kind.type).field("name", kind.name).field("action", kind.action);
  writer.field("service_type", resource.service).field("resource_type", resource.type);
  write_initiator(writer, caller);
}

void write_target(json::Writer& writer, ImageId const& image, std::string_view name,
                  ProjectId const& owner) {
  writer.key("target").begin_object();
  writer.field("id", image.text).field("typeURI", kImage.type_uri);
  writer.field("name", name).field("project_id", owner.text).end_object();
}

std::string event_json(model::AuditEvent const& event) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_head(writer, event.kind, event.time, event.caller, kImage);
  write_target(writer, event.image, event.image_name, event.image_owner);
  if (!event.job.empty()) writer.field("job_id", event.job.text);
  writer.end_object();
  return out;
}

template <class IdType>
void write_first_ids(json::Writer& writer, std::string_view name, std::span<IdType const> ids) {
  writer.key(name).begin_array();
  for (auto const& id : ids.first(std::min(ids.size(), kNamedMax)))
    writer.string(id.text);
  writer.end_array();
}

void write_target(json::Writer& writer, model::AuditSubmission const& submission) {
  if (auto const& image = submission.about) {
    write_target(writer, image->id, image->name.value_or(""), image->owner);
    return;
  }
  writer.key("target").begin_object();
  writer.field("id", submission.job.text).field("typeURI", "data/workload/job");
  write_first_ids(writer, "images", submission.images);
  writer.field("image_count", static_cast<std::int64_t>(submission.images.size()));
  write_first_ids(writer, "projects", submission.projects);
  writer.field("project_count", static_cast<std::int64_t>(submission.projects.size()));
  writer.end_object();
}

std::string submission_json(model::AuditSubmission const& submission) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_head(writer, submission.kind, submission.time, submission.caller, kImage);
  write_target(writer, submission);
  writer.field("job_id", submission.job.text).end_object();
  return out;
}

std::string change_json(model::IdentityChange const& change) {
  auto const& target = change.target;
  auto const resource = resource_of(target.type);
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_head(writer, change.kind, change.time, change.caller, resource);
  writer.key("target").begin_object();
  writer.field("id", target.id).field("typeURI", resource.type_uri).field("name", target.name);
  if (!target.user.empty()) writer.field("user_id", target.user);
  if (target.scope.kind != model::Scope::Kind::none) {
    bool const is_project = target.scope.kind == model::Scope::Kind::project;
    writer.field(is_project ? "project_id" : "domain_id", target.scope.id);
  }
  if (!target.changed.empty()) {
    writer.key("changed").begin_array();
    for (auto const name : target.changed)
      writer.string(name);
    writer.end_array();
  }
  writer.end_object().end_object();
  return out;
}

void write_failure(json::Writer& writer, std::optional<Error> const& failure) {
  if (!failure) return;
  writer.field("fault", name_of(failure->fault)).field("detail", failure->detail);
}

std::string targets_json(model::AuditEvent const& event) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (auto const& pair : event.pairs) {
    writer.begin_object().field("project_id", pair.project.text);
    write_failure(writer, pair.failure);
    writer.end_object();
  }
  if (event.failure) {
    writer.begin_object();
    write_failure(writer, event.failure);
    writer.end_object();
  }
  writer.end_array();
  return out;
}

} // namespace

Result<> Audit::record(model::AuditEvent const& event) {
  TRY(connection_.run(sql::record_event, {new_hex_id(), event_json(event), targets_json(event)}));
  return {};
}

Result<> Audit::record(model::AuditSubmission const& submission) {
  TRY(connection_.run(sql::record_event,
                      {new_hex_id(), submission_json(submission), R"([{"outcome":"pending"}])"}));
  return {};
}

Result<> Audit::record(model::IdentityChange const& change) {
  TRY(connection_.run(sql::record_event, {new_hex_id(), change_json(change), "[]"}));
  return {};
}

Result<std::vector<OutboxRow>> Audit::claimed(std::string_view holder, std::int64_t limit) {
  std::vector<OutboxRow> out;
  TRY(connection_.run(sql::list_events, {holder, limit}, [&](Row const& row) {
    out.push_back({row.integer(0), row.string(1), row.string(2), row.string(3)});
  }));
  return out;
}

Result<bool> Audit::any_unclaimed(std::string_view holder, Time now) {
  bool any = false;
  TRY(connection_.run(sql::find_unclaimed_event, {holder, now}, [&](Row const&) { any = true; }));
  return any;
}

Result<> Audit::claim(std::string_view holder, Time now, Time until) {
  TRY(connection_.run(sql::claim_events, {holder, now, until}));
  return {};
}

Result<> Audit::forget(std::span<OutboxRow const> rows) {
  TRY(connection_.run_each(sql::delete_event, rows_for(rows, [](OutboxRow const& row) {
                             return Params{row.sequence};
                           })));
  return {};
}

} // namespace vitrine::store
