#include "jobs/kinds/pairs.hpp"

#include "base/json.hpp"

namespace vitrine::jobs {
namespace {

template <class IdType>
void write_ids(json::Writer& writer, std::string_view name, std::vector<IdType> const& ids) {
  writer.key(name).begin_array();
  for (auto const& id : ids)
    writer.string(id.text);
  writer.end_array();
}

template <class IdType>
Result<std::vector<IdType>> read_ids(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  auto const* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return error(Fault::internal);
  std::vector<IdType> ids;
  ids.reserve(array->size());
  for (auto const& element : *array) {
    auto const* text = element.if_string();
    if (text == nullptr) return error(Fault::internal);
    ids.push_back({std::string(json::view(*text))});
  }
  return ids;
}

} // namespace

bool works_on_pairs(std::string_view kind) noexcept {
  return kind == kAddMembers || kind == kRemoveMembers || kind == kAnswerShares;
}

model::AuditKind const& event_of(std::string_view kind) {
  CHECK(works_on_pairs(kind));
  if (kind == kAddMembers) return model::audit::member_create;
  return kind == kRemoveMembers ? model::audit::member_delete : model::audit::member_update;
}

std::string PairArguments::to_json() const {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_ids(writer, "images", images);
  write_ids(writer, "projects", projects);
  writer.field("status", name_of(status)).end_object();
  return out;
}

Result<PairArguments> PairArguments::from_json(std::string_view text) {
  auto const value = json::parse(text);
  auto const* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return error(Fault::internal);
  PairArguments arguments;
  arguments.images = TRY(read_ids<ImageId>(*object, "images"));
  arguments.projects = TRY(read_ids<ProjectId>(*object, "projects"));
  auto const* status = object->if_contains("status");
  if (status == nullptr || !status->is_string()) return error(Fault::internal);
  auto const named = model::member_status_named(json::view(status->get_string()));
  if (!named) return error(Fault::internal);
  arguments.status = *named;
  return arguments;
}

std::string failures_to_json(service::PairFailures const& failures) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (auto const& failure : failures) {
    writer.begin_array().integer(static_cast<std::int64_t>(failure.index));
    writer.string(name_of(failure.fault)).end_array();
  }
  writer.end_array();
  return out;
}

Result<service::PairFailures> failures_from_json(std::string_view text) {
  auto const value = json::parse(text);
  auto const* array = value ? value->if_array() : nullptr;
  if (array == nullptr) return error(Fault::internal);
  service::PairFailures failures;
  failures.reserve(array->size());
  for (auto const& element : *array) {
    auto const* pair = element.if_array();
    if (pair == nullptr || pair->size() != 2) return error(Fault::internal);
    auto const index = json::whole_number((*pair)[0]);
    auto const* fault = (*pair)[1].if_string();
    if (!index || *index < 0 || fault == nullptr) return error(Fault::internal);
    failures.push_back({static_cast<std::size_t>(*index), fault_named(json::view(*fault))});
  }
  return failures;
}

} // namespace vitrine::jobs
