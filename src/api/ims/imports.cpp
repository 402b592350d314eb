#include "api/ims/imports.hpp"

#include "api/ims/v1/job_reply.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "jobs/kinds/import_image.hpp"
#include "jobs/kinds/import_images.hpp"
#include "model/image_texts.hpp"
#include "service/encryption.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::api::ims {
namespace {

constexpr std::string_view kIso = "IsoImage";
constexpr std::string_view kDataDisk = "DataImage";
constexpr std::string_view kSourceText = "The file, as bucket:object.";
constexpr std::string_view kExpectedText = "SHA-256 that the file must have, in hex.";
constexpr std::string_view kQuickText = "Take raw and zvhd2 only, up to 1 TiB.";
constexpr std::string_view kKeyText =
    "Key to encrypt the image with; ims/default: that of the project.";

Field<Creation> disk(Creator creator) {
  auto const most =
      creator == Creator::data_disk ? limits::import_data_disk_gib : limits::import_disk_gib;
  constexpr std::string_view kName = "min_disk";
  auto read = [=](Creation& body, json::Object const& object, model::Caller const&) -> Result<> {
    auto const disk = TRY(Wire<Number>::read(*detail::find(object, kName), kName)).value;
    if (!disk || *disk < 1 || *disk > most) {
      return wrong(Fault::memory_or_disk_size, kName,
                   fmt::format("a whole number of GiB from 1 to {} is needed", most));
    }
    body.image.min_disk_gib = *disk;
    return {};
  };
  return needed(
      {{kName, true, std::string(kNumberSchema), "GiB of the disk, at least those of the file."},
       read},
      Fault::memory_or_disk_size);
}

bool is_quick(Creation const& body, Creator creator) {
  return creator == Creator::quick || (body.is_quick && body.is_quick->value);
}

// A quick import takes no ISO, whatever the name of the file is (contract: ims-api 6.5).
std::string_view environment(Creation const& body, Creator creator) {
  if (creator == Creator::data_disk) return kDataDisk;
  bool const named_iso = text::to_lower(body.source.object).ends_with(".iso");
  if (named_iso && !is_quick(body, creator)) return kIso;
  return environment_of(body.kind);
}

// Who asks for a key must not get plain data (contract: ims-api 6.5 knows no keys).
Result<> refuse_key(Creation const& body) {
  if (body.key.value_or("").empty()) return {};
  return wrong(Fault::not_offered, "cmk_id", "a quick import cannot encrypt");
}

// What the fields of the body are only allowed together.
Result<> check_together(Creation const& body, Creator creator, std::string_view kind) {
  bool const names_system = !body.os_version.value_or("").empty();
  bool const quick = is_quick(body, creator);
  if (quick) TRY(refuse_key(body));
  if (quick && kind == kIso) {
    return wrong(Fault::image_kind, "type", "an ISO cannot be imported quickly");
  }
  if (kind == kIso && !names_system)
    return wrong(Fault::iso_without_os, "os_version", "is missing");
  if (kind == kDataDisk && body.os_type == "Other") {
    return wrong(Fault::os_type, "os_type", "a data disk needs Linux or Windows");
  }
  if (quick && kind != kDataDisk && !names_system) {
    return wrong(Fault::os_version, "os_version", "is needed for a quick import");
  }
  return {};
}

std::vector<Field<Creation>> source_fields() {
  return {required("image_url", &Creation::source, kSourceText),
          never_null(optional(service::kExpectedHashField, &Creation::expected, kExpectedText))};
}

std::vector<Field<Creation>> data_disk_fields() {
  std::vector<Field<Creation>> fields{name_field("Name of the image; else <name>-data<n>.")};
  for (auto& field : text_fields())
    fields.push_back(std::move(field));
  for (auto& field : source_fields())
    fields.push_back(std::move(field));
  fields.push_back(disk(Creator::data_disk));
  fields.push_back(optional("is_quick_import", &Creation::is_quick, kQuickText));
  return fields;
}

// The same file twice would be a mistake (contract: ims-api 6.3.2).
Result<> check_sources(Creation const& body) {
  auto taken = std::vector<model::ObjectUrl>{body.source};
  for (std::size_t i = 0; i < body.data_disks.size(); ++i) {
    auto const& source = body.data_disks[i].source;
    if (std::ranges::find(taken, source) != taken.end()) {
      return wrong(Fault::object_repeated, fmt::format("data_images[{}].image_url", i),
                   "is named already");
    }
    taken.push_back(source);
  }
  return {};
}

// Further images of data disks, each with fields of its own.
Field<Creation> data_disks() {
  constexpr std::string_view kName = "data_images";
  return {{kName, false, array_of(infos_of(data_disk_fields()), limits::import_data_disks),
           "Data disks of the same machine, each from a file of its own."},
          [=](Creation& body, json::Object const& object, model::Caller const& caller) -> Result<> {
            auto const read = for_each_object(
                object, kName, limits::import_data_disks,
                [&](json::Object const& disk) -> Result<> {
                  body.data_disks.push_back(TRY(read_fields(disk, data_disk_fields(), caller)));
                  return {};
                });
            return read ? check_sources(body) : read;
          }};
}

std::string_view job_kind(std::string_view environment) {
  if (environment == kIso) return jobs::kImportIso;
  return environment == kDataDisk ? jobs::kImportData : jobs::kImportImage;
}

// In the order in which faults are told; without `versions` they are only described.
std::vector<Field<Creation>> import_fields(Creator creator, service::OsVersions const* versions) {
  auto fields = common_fields();
  auto const add = [&](Field<Creation> one) { fields.push_back(std::move(one)); };
  if (creator == Creator::system_disk) {
    add(type_field({"ECS", "BMS", "FusionCompute", "Ironic", "IsoImage", "DataImage"}));
  }
  if (creator == Creator::quick) {
    add(type_field({"ECS", "BMS", "DataImage"}));
  }
  for (auto& field : source_fields())
    add(std::move(field));
  add(disk(creator));
  bool const data = creator == Creator::data_disk;
  add(word("os_type", &Creation::os_type,
           data ? std::vector<std::string_view>{"Linux", "Windows"}
                : std::vector<std::string_view>{"Linux", "Windows", "Other"},
           Fault::os_type, "Type of the operating system."));
  if (data) {
    add(optional("cmk_id", &Creation::key, kKeyText));
    return fields;
  }
  add(os_version_field(versions));
  add(optional("is_config", &Creation::is_config, "Recorded: the guest is not changed."));
  auto key = optional("cmk_id", &Creation::key, kKeyText);
  auto const refuse = [](Creation const& body, model::Caller const&) { return refuse_key(body); };
  add(creator == Creator::quick ? checked(std::move(key), +refuse) : std::move(key));
  add(word("architecture", &Creation::architecture, {"x86", "arm"}, Fault::architecture,
           "x86 or arm."));
  add(attribute("hw_firmware_type", "hw_firmware_type", kTextSchema, "bios or uefi."));
  add(optional("is_quick_import", &Creation::is_quick, kQuickText));
  add(creator == Creator::quick ? not_offered<Creation>("data_images", "Not offered here.")
                                : data_disks());
  return fields;
}

} // namespace

bool names_data_disk(json::Object const& object) {
  auto const* const type = detail::find(object, "type");
  return type != nullptr && *type == "DataImage";
}

std::vector<FieldInfo> import_infos(Creator creator) {
  return infos_of(import_fields(creator, nullptr));
}

std::vector<Fault> import_faults() {
  using enum Fault;
  auto all = common_faults();
  for (auto const fault :
       {image_kind, object_url_form, bucket_name_empty, bucket_name_invalid, object_name_empty,
        object_name_too_long, object_name_invalid, os_type, os_version, iso_without_os, iso_image,
        bare_metal_encrypted, no_key_service, new_key_missing, new_key_not_granted,
        new_key_disabled, architecture, firmware_type, no_object_store}) {
    all.push_back(fault);
  }
  return all;
}

namespace {

Result<service::ImportRequest> import_request(model::Caller const& caller, Creation const& body,
                                              Creator creator,
                                              service::OsVersions const& versions) {
  auto const kind = environment(body, creator);
  TRY(check_together(body, creator, kind));
  auto properties = body.properties;
  TRY(describe_system(body, versions, properties));
  properties.insert_or_assign("virtual_env_type", std::string(kind));
  if (body.architecture == "arm") {
    properties.insert_or_assign("__support_arm", "true");
    properties.emplace("hw_firmware_type", "uefi");
  }
  if (body.is_config) {
    properties.insert_or_assign("__is_config_init", body.is_config->value ? "true" : "false");
  }
  if (!body.key.value_or("").empty()) {
    properties.insert_or_assign(std::string(service::kKeyProperty), service::key_named(*body.key));
  }
  auto image = TRY(new_image(caller, body, std::move(properties)));
  service::ImportRequest request{.source = body.source,
                                 .formats = {},
                                 .has_sub_job = body.has_sub_job,
                                 .expected_sha256 = body.expected.value_or(Sha256{}).hex,
                                 .draft = std::move(image)};
  if (is_quick(body, creator)) {
    request.size_bytes_max = limits::quick_import_size_bytes;
    request.formats = {"raw", "zvhd2"};
  }
  if (kind == kIso) request.formats = {"iso"};
  return request;
}

// A data disk of the same machine: it takes what the request says of all, the key above all.
Creation data_disk(Creation const& body, model::Image const& system, Creation const& own,
                   std::size_t number) {
  auto out = own;
  out.key = body.key;
  if (!out.image.name) out.image.name = model::data_disk_name(*system.name, number);
  if (system.property("__os_type") == "Windows") out.os_type = "Windows";
  constexpr std::string_view kProject = "enterprise_project_id";
  if (auto project = system.property(kProject)) out.properties.emplace(kProject, *project);
  return out;
}

bool is_ova(Creation const& body, Creator creator) {
  return !is_quick(body, creator) && text::to_lower(body.source.object).ends_with(".ova");
}

Result<jobs::Order> import_order(Context const& context, Creation const& body, Creator creator,
                                 Services& services) {
  auto const& caller = context.caller;
  auto const request = [&](Creation const& of, Creator by) {
    return import_request(caller, of, by, services.os_versions);
  };
  auto const kind = job_kind(environment(body, creator));
  auto const first = TRY(request(body, creator));
  if (creator == Creator::system_disk && kind == jobs::kImportImage && is_ova(body, creator)) {
    if (!body.data_disks.empty()) {
      return wrong(Fault::invalid_body, "data_images", "an OVA brings its data disks itself");
    }
    Creation own; // nothing but the tags of the system disk
    own.tags = body.tags;
    own.image_tags = body.image_tags;
    auto data = TRY(request(data_disk(body, first.draft, own, 1), Creator::data_disk));
    data.source = body.source;
    return jobs::ova_order(caller, services.imports, first, data);
  }
  if (body.data_disks.empty()) return jobs::import_order(kind, caller, services.imports, first);
  std::vector<jobs::ImagePart> parts{{kind, first}};
  for (auto const& own : body.data_disks) {
    auto const data =
        TRY(request(data_disk(body, first.draft, own, parts.size()), Creator::data_disk));
    parts.push_back({jobs::kImportData, data});
  }
  return jobs::images_order(caller, services.imports, parts);
}

} // namespace

Result<Reply> submit_import(Context const& context, json::Object const& object, Creator creator,
                            bool has_sub_job, Services& services) {
  auto const fields = import_fields(creator, &services.os_versions);
  auto body = TRY(read_fields(object, fields, context.caller));
  body.has_sub_job = has_sub_job;
  auto const order = TRY(import_order(context, body, creator, services));
  return job_reply(TRY(services.jobs.submit(context.caller, order)));
}

} // namespace vitrine::api::ims
