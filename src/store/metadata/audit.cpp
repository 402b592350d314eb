#include "store/metadata/audit.hpp"

#include "base/json.hpp"

namespace vitrine::store {
namespace {

// Field names follow pyCADF where it has them (contract: ims-api 11).
std::string event_json(model::AuditEvent const& event) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.field("eventTime", format_milliseconds(event.time));
  writer.field("eventType", event.kind.type).field("name", event.kind.name);
  writer.field("action", event.kind.action);
  writer.field("service_type", "IMS").field("resource_type", "image");
  writer.key("initiator").begin_object().field("id", event.caller.user.text);
  writer.field("name", event.caller.user_name).field("project_id", event.caller.project.text);
  writer.field("domain_id", event.caller.domain.text).field("request_id", event.caller.request_id);
  writer.key("host")
      .begin_object()
      .field("address", event.caller.address)
      .end_object()
      .end_object();
  writer.key("target").begin_object().field("id", event.image.text);
  writer.field("name", event.image_name).field("project_id", event.image_owner.text).end_object();
  if (!event.job.empty()) writer.field("job_id", event.job.text);
  writer.end_object();
  return out;
}

std::string targets_json(model::AuditEvent const& event) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (auto const& pair : event.pairs) {
    writer.begin_object().field("project_id", pair.project.text);
    if (pair.failure) {
      writer.field("fault", name_of(pair.failure->fault)).field("detail", pair.failure->detail);
    }
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
