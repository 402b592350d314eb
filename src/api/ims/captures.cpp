#include "api/ims/captures.hpp"

#include "base/limits.hpp"
#include "jobs/kinds/capture_image.hpp"
#include "model/mandates.hpp"
#include "ops/config.hpp"

#include <fmt/format.h>
#include <set>

namespace vitrine::api::ims {
namespace {

using service::CaptureSource;

bool is_whole(CaptureSource source) {
  return source == CaptureSource::server_backup || source == CaptureSource::backup;
}

bool asks_compute(CaptureSource source) {
  return source == CaptureSource::server || source == CaptureSource::server_backup;
}

Result<> require_services(CaptureSource source, ops::Config const& config) {
  bool const has_compute = config.compute.driver != ops::ComputeDriver::none;
  bool const has_volumes = config.block_storage.driver != ops::VolumesDriver::none;
  bool const has_backups = config.block_storage.backup != ops::VolumesDriver::none;
  if (is_whole(source) && (!has_backups || (asks_compute(source) && !has_compute))) {
    return error(Fault::no_backup_service);
  }
  if (asks_compute(source) && !has_compute) {
    return error(Fault::not_offered, "there is no compute service");
  }
  if (!asks_compute(source) && !has_volumes) {
    return error(Fault::not_offered, "there is no block storage service");
  }
  return {};
}

Result<model::Mandate> mandate_for(Context const& context, CaptureSource source,
                                   Services& services) {
  TRY(require_services(source, services.config));
  auto const token = context.head.header("X-Auth-Token").value_or("");
  auto mandate = TRY(services.mandates.give(context.caller, token));
  if (services.config.compute.driver == ops::ComputeDriver::none) mandate.compute.clear();
  if (services.config.block_storage.driver == ops::VolumesDriver::none) mandate.volumes.clear();
  bool const needs_volumes = source != CaptureSource::server;
  if ((asks_compute(source) && mandate.compute.empty()) ||
      (needs_volumes && mandate.volumes.empty())) {
    if (is_whole(source)) return error(Fault::no_backup_service);
    return error(Fault::not_offered, "the catalog names no service that could be asked");
  }
  return mandate;
}

// Quota and limits are told before it (contract: ims-api 2.1), so it is an order all the same.
jobs::Order unserved(jobs::Order order, Error const& why) {
  order.unserved = why;
  return order;
}

Result<> describe(Creation const& body, CaptureSource source, service::OsVersions const& versions,
                  model::Properties& properties) {
  bool const of_system = source == CaptureSource::volume;
  if (of_system && body.os_version.value_or("").empty()) {
    return wrong(Fault::os_version, "os_version", "is missing");
  }
  if (of_system || source == CaptureSource::data_volume) {
    TRY(describe_system(body, versions, properties));
  }
  properties.insert_or_assign("virtual_env_type", std::string(environment_of(body.kind)));
  if (is_whole(source)) properties.insert_or_assign("__whole_image", "true");
  return {};
}

} // namespace

Result<std::string> source_id(json::Object const& object, std::string_view name, Fault missing,
                              Fault unknown) {
  auto const* value = detail::find(object, name);
  auto const* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr || text->empty()) {
    return error(missing, std::string(name) + ": is empty or not a string", std::string(name));
  }
  std::string id(json::view(*text));
  if (!is_project_id(id)) return error(unknown, {}, std::string(name)); // of the same form
  return id;
}

Result<Creation> read_capture(Context const& context, json::Object const& object,
                              CaptureSource source, Services& services) {
  auto fields = common_fields();
  if (source == CaptureSource::volume) {
    fields.push_back(type_field({"ECS", "BMS", "FusionCompute", "Ironic"}));
    fields.push_back(os_version_field(&services.os_versions));
  }
  return read_fields(object, fields, context.caller);
}

std::vector<Fault> capture_faults() {
  using enum Fault;
  auto all = common_faults();
  for (auto const fault : {server_missing, server_unknown, volume_unknown, backup_used, image_kind,
                           os_version, not_offered, identity_unavailable}) {
    all.push_back(fault);
  }
  return all;
}

namespace {

std::vector<Field<Creation>> data_volume_fields() {
  std::vector<Field<Creation>> fields{needed(name_field(), Fault::name_missing)};
  for (auto& field : text_fields())
    fields.push_back(std::move(field));
  return fields;
}

Result<service::CaptureRequest> request_for(Context const& context, Creation const& body,
                                            CaptureSource source, std::string id,
                                            service::OsVersions const& versions) {
  auto properties = body.properties;
  TRY(describe(body, source, versions, properties));
  auto draft = TRY(new_image(context.caller, body, std::move(properties)));
  return service::CaptureRequest{.source = source, .id = std::move(id), .draft = std::move(draft)};
}

// One image each: a volume that is named twice would be read at once by two.
Result<> check_volumes(std::vector<service::CaptureRequest> const& requests) {
  std::set<std::string_view> taken;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (taken.insert(requests[i].id).second) continue;
    return wrong(Fault::object_repeated, fmt::format("data_images[{}].volume_id", i),
                 "is named already");
  }
  return {};
}

} // namespace

Result<jobs::Order> capture_order(Context const& context, Creation const& body,
                                  CaptureSource source, std::string id, Services& services) {
  auto const request = TRY(request_for(context, body, source, std::move(id), services.os_versions));
  auto mandate = mandate_for(context, source, services);
  if (mandate) return jobs::capture_order(services.captures, request, *mandate);
  return unserved(jobs::capture_order(services.captures, request, {}), mandate.error());
}

std::string data_volumes_schema() {
  auto infos = infos_of(data_volume_fields());
  infos.push_back({"volume_id", true, std::string(kTextSchema), "The volume."});
  return array_of(infos, limits::capture_volumes);
}

Result<jobs::Order> captures_order(Context const& context, json::Object const& object,
                                   Services& services) {
  constexpr auto kSource = CaptureSource::data_volume;
  std::vector<service::CaptureRequest> requests;
  auto const read = for_each_object(
      object, "data_images", limits::capture_volumes, [&](json::Object const& one) -> Result<> {
        auto id = TRY(source_id(one, "volume_id", Fault::volume_unknown, Fault::volume_unknown));
        auto body = TRY(read_fields(one, data_volume_fields(), context.caller));
        body.kind = "DataImage";
        requests.push_back(
            TRY(request_for(context, body, kSource, std::move(id), services.os_versions)));
        return {};
      });
  if (!read) return Error(read.error());
  TRY(check_volumes(requests));
  auto mandate = mandate_for(context, kSource, services);
  if (mandate) return jobs::captures_order(services.captures, requests, *mandate);
  return unserved(jobs::captures_order(services.captures, requests, {}), mandate.error());
}

} // namespace vitrine::api::ims
