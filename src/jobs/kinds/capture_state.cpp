#include "jobs/kinds/capture_state.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "jobs/kinds/arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::jobs {
namespace {

std::string joined(std::vector<std::string> const& ids) {
  return fmt::format("{}", fmt::join(ids, ","));
}

} // namespace

std::vector<std::string> parted(std::string_view text) {
  std::vector<std::string> ids;
  if (text.empty()) return ids;
  for (auto const id : text::split(text, ','))
    ids.emplace_back(id);
  return ids;
}

std::string to_json(CaptureOrder const& order) {
  auto const& draft = order.request.draft;
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("source", static_cast<std::int64_t>(order.request.source));
  writer.field("id", order.request.id);
  writer.field("compute", order.compute).field("volumes", order.volumes);
  writer.field("owner", draft.owner.text).field("name", draft.name.value_or(""));
  writer.field("min_ram", draft.min_ram_mib).field("properties", draft.properties_json);
  writer.field("tags", draft.tags_json).end_object();
  return out;
}

Result<CaptureOrder> capture_order_from(std::string_view json) {
  auto const stored = TRY(Arguments::parse(json));
  CaptureOrder order;
  order.request.source = static_cast<service::CaptureSource>(TRY(stored.integer("source")));
  order.request.id = TRY(stored.text("id"));
  order.compute = TRY(stored.text("compute"));
  order.volumes = TRY(stored.text("volumes"));
  auto& draft = order.request.draft;
  draft.owner.text = TRY(stored.text("owner"));
  draft.name = TRY(stored.text("name"));
  draft.min_ram_mib = TRY(stored.integer("min_ram"));
  draft.properties_json = TRY(stored.text("properties"));
  draft.tags_json = TRY(stored.text("tags"));
  return order;
}

std::string to_json(CaptureState const& state) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("looked", state.looked);
  writer.field("volume", state.volume).field("snapshot", state.snapshot);
  writer.field("copy", state.copy).field("backups", joined(state.backups));
  writer.field("disks", joined(state.disks));
  writer.field("disk_gib", state.facts.disk_gib).field("parent", state.facts.parent);
  writer.field("os_type", state.facts.os_type);
  writer.field("backup", state.facts.backup).field("idle_since", state.idle_since_us);
  writer.field("ended_at", state.ended_at_us).field("fault", state.fault);
  writer.field("detail", state.detail).end_object();
  return out;
}

Result<CaptureState> capture_state_from(std::string_view json) {
  CaptureState state;
  if (json.empty()) return state;
  auto const stored = TRY(Arguments::parse(json));
  state.looked = TRY(stored.flag("looked"));
  state.volume = TRY(stored.text("volume"));
  state.snapshot = TRY(stored.text("snapshot"));
  state.copy = TRY(stored.text("copy"));
  auto const backups = TRY(stored.text("backups"));
  state.backups = parted(backups);
  auto const disks = TRY(stored.text("disks"));
  state.disks = parted(disks);
  state.facts.disk_gib = TRY(stored.integer("disk_gib"));
  state.facts.parent = TRY(stored.text("parent"));
  state.facts.os_type = TRY(stored.text("os_type"));
  state.facts.backup = TRY(stored.text("backup"));
  state.idle_since_us = TRY(stored.integer("idle_since"));
  state.ended_at_us = TRY(stored.integer("ended_at"));
  state.fault = TRY(stored.text("fault"));
  state.detail = TRY(stored.text("detail"));
  return state;
}

} // namespace vitrine::jobs
