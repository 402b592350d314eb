#include "api/ims/creation.hpp"

#include "api/documents/extension.hpp"
#include "base/text.hpp"
#include "jobs/kinds/import_image.hpp"
#include "jobs/kinds/import_images.hpp"
#include "model/image_texts.hpp"
#include "service/encryption.hpp"
#include "service/os_versions/os_versions.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>

namespace vitrine::api::ims {
namespace {

constexpr std::string_view kVirtualMachine = "FusionCompute";
constexpr std::string_view kBareMetal = "Ironic";
constexpr std::string_view kIso = "IsoImage";
constexpr std::string_view kDataDisk = "DataImage";

struct Kind {
  std::string_view type;
  std::string_view environment; ///< virtual_env_type
};
// Contract: ims-api 3.3.
constexpr std::array<Kind, 6> kKinds = {{{"ECS", kVirtualMachine},
                                         {"FusionCompute", kVirtualMachine},
                                         {"BMS", kBareMetal},
                                         {"Ironic", kBareMetal},
                                         {"IsoImage", kIso},
                                         {"DataImage", kDataDisk}}};

Error wrong(Fault fault, std::string_view field, std::string_view needed) {
  return error(fault, fmt::format("{}: {}", field, needed), std::string(field));
}

// A failure of a field in the element of an array.
Error inside(std::string_view element, Error failure) {
  failure.detail = fmt::format("{}.{}", element, failure.detail);
  failure.field = fmt::format("{}.{}", element, failure.field);
  return failure;
}

using Read = std::function<Result<>(Creation&, json::Value const&)>;

Field<Creation> field(std::string_view name, std::string_view schema, std::string_view text,
                      Read read) {
  return {{name, false, std::string(schema), text},
          [=](Creation& body, json::Object const& object, model::Caller const&) -> Result<> {
            auto const* value = detail::find(object, name);
            return value == nullptr ? Result<>() : read(body, *value);
          }};
}

Field<Creation> needed(Field<Creation> of, Fault missing) {
  of.info.required = true;
  auto read = [read = std::move(of.read), name = of.info.name,
               missing](Creation& body, json::Object const& object,
                        model::Caller const& caller) -> Result<> {
    if (detail::find(object, name) != nullptr) return read(body, object, caller);
    return wrong(missing, name, "is missing");
  };
  return {std::move(of.info), std::move(read)};
}

constexpr std::string_view kText = R"({"type":"string"})";
constexpr std::string_view kDescriptionText = "Description of the image.";
constexpr std::string_view kTagsText = "Tags as key.value, key=value or key.";
constexpr std::string_view kImageTagsText = "Tags as keys and values.";
constexpr std::string_view kSourceText = "The file, as bucket:object.";
constexpr std::string_view kQuickText = "Take raw and zvhd2 only, up to 1 TiB.";
constexpr std::string_view kKeyText =
    "Key to encrypt the image with; ims/default: that of the project.";
constexpr std::string_view kNumber = R"({"type":["integer","string"]})";

// A field whose form is that of an attribute.
Field<Creation> attribute(std::string_view name, std::string_view attribute_name,
                          std::string_view schema, std::string_view text) {
  return field(name, schema, text, [=](Creation& body, json::Value const& value) -> Result<> {
    return documents::set_by_extension(body.image, body.properties, attribute_name, value);
  });
}

// One of some words, as they are written.
Field<Creation> word(std::string_view name, std::optional<std::string> Creation::* member,
                     std::vector<std::string_view> words, Fault fault, std::string_view text) {
  return field(name, kText, text, [=](Creation& body, json::Value const& value) -> Result<> {
    auto const* given = value.if_string();
    if (given != nullptr && std::ranges::find(words, json::view(*given)) != words.end()) {
      body.*member = std::string(json::view(*given));
      return {};
    }
    return wrong(fault, name, fmt::format("one of {} is needed", fmt::join(words, ", ")));
  });
}

Field<Creation> disk(Creator creator) {
  auto const most =
      creator == Creator::data_disk ? limits::import_data_disk_gib : limits::import_disk_gib;
  auto of =
      attribute("min_disk", "min_disk", kNumber, "GiB of the disk, at least those of the file.");
  auto read = [read = std::move(of.read), most](Creation& body, json::Object const& object,
                                                model::Caller const& caller) -> Result<> {
    TRY(read(body, object, caller));
    auto const disk = body.image.min_disk_gib;
    if (disk >= 1 && disk <= most) return {};
    return wrong(Fault::memory_or_disk_size, "min_disk",
                 fmt::format("1 to {} GiB are allowed", most));
  };
  return needed({std::move(of.info), std::move(read)}, Fault::memory_or_disk_size);
}

bool is_quick(Creation const& body) { return body.is_quick && body.is_quick->value; }

bool is_iso(Creation const& body) {
  return body.kind == "IsoImage" || text::to_lower(body.source.object).ends_with(".iso");
}

std::string_view environment(Creation const& body, Creator creator) {
  if (creator == Creator::data_disk) return kDataDisk;
  if (is_iso(body)) return kIso;
  auto const* const kind = std::ranges::find(kKinds, body.kind.value_or("ECS"), &Kind::type);
  return kind->environment;
}

// What the system on the disk is: as the client says, else an unknown one of its type.
Result<> describe_system(Creation const& body, service::OsVersions const& versions,
                         model::Properties& properties) {
  auto const given = body.os_version.value_or("");
  auto const type = body.os_type.value_or("Linux");
  auto const other = fmt::format("Other {}(64 bit)", type == "Windows" ? "Windows" : "Linux");
  auto const system = given.empty() ? versions.describe(other) : TRY(versions.read(given));
  properties.insert_or_assign("__os_version", given.empty() ? other : given);
  properties.insert_or_assign("__os_type", body.os_type.value_or(system.type));
  properties.insert_or_assign("__os_bit", std::to_string(system.bit));
  properties.insert_or_assign("__platform", system.platform);
  return {};
}

// What the fields of the body are only allowed together.
Result<> check_together(Creation const& body, Creator creator, std::string_view kind) {
  bool const names_system = !body.os_version.value_or("").empty();
  if (kind == kIso && !names_system)
    return wrong(Fault::iso_without_os, "os_version", "is missing");
  bool const quick = creator == Creator::quick || is_quick(body);
  if (quick && kind != kDataDisk && !names_system) {
    return wrong(Fault::os_version, "os_version", "is needed for a quick import");
  }
  return {};
}

std::vector<Field<Creation>> data_disk_fields() {
  return {attribute("name", "name", kText, "Name of the image; else <name>-data<n>."),
          attribute("description", "__description", kText, kDescriptionText),
          optional("tags", &Creation::tags, kTagsText),
          optional("image_tags", &Creation::image_tags, kImageTagsText),
          required("image_url", &Creation::source, kSourceText),
          disk(Creator::data_disk),
          optional("is_quick_import", &Creation::is_quick, kQuickText)};
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

std::string data_disks_schema() {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "array").field("maxItems", limits::import_data_disks);
  writer.key("items").begin_object();
  write_schema(writer, infos_of(data_disk_fields()));
  writer.end_object().end_object();
  return out;
}

// Further images of data disks, each with fields of its own.
Field<Creation> data_disks() {
  constexpr std::string_view kName = "data_images";
  return {{kName, false, data_disks_schema(),
           "Data disks of the same machine, each from a file of its own."},
          [=](Creation& body, json::Object const& object, model::Caller const& caller) -> Result<> {
            if (!detail::is_given(object, kName)) return {};
            auto const* array = detail::find(object, kName)->if_array();
            if (array == nullptr) return wrong(Fault::invalid_body, kName, "must be an array");
            if (std::cmp_greater(array->size(), limits::import_data_disks)) {
              return wrong(Fault::too_many_images, kName,
                           fmt::format("at most {} at once", limits::import_data_disks));
            }
            for (auto const& element : *array) {
              auto const at = fmt::format("{}[{}]", kName, body.data_disks.size());
              auto const* disk = element.if_object();
              if (disk == nullptr) return wrong(Fault::invalid_body, at, "must be an object");
              auto read = read_fields(*disk, data_disk_fields(), caller);
              if (!read) return inside(at, read.error());
              body.data_disks.push_back(std::move(*read));
            }
            return check_sources(body);
          }};
}

std::string_view job_kind(std::string_view environment) {
  if (environment == kIso) return jobs::kImportIso;
  return environment == kDataDisk ? jobs::kImportData : jobs::kImportImage;
}

} // namespace

std::vector<Field<Creation>> common_fields() {
  return {needed(attribute("name", "name", kText, "Name of the image."), Fault::name_missing),
          attribute("description", "__description", kText, kDescriptionText),
          optional("tags", &Creation::tags, kTagsText),
          optional("image_tags", &Creation::image_tags, kImageTagsText),
          attribute("min_ram", "min_ram", kNumber, "MiB of memory at least."),
          attribute("max_ram", "max_ram", kNumber, "MiB of memory at most; 0 is any."),
          attribute("enterprise_project_id", "enterprise_project_id", kText, "0 or a UUID.")};
}

std::vector<Field<Creation>> import_fields(Creator creator) {
  auto fields = common_fields();
  auto const add = [&](Field<Creation> one) { fields.push_back(std::move(one)); };
  if (creator == Creator::system_disk) {
    add(word("type", &Creation::kind, {"ECS", "BMS", "FusionCompute", "Ironic", "IsoImage"},
             Fault::image_kind, "What the image is for."));
  }
  if (creator == Creator::quick) {
    add(word("type", &Creation::kind, {"ECS", "BMS", "DataImage"}, Fault::image_kind,
             "What the image is for."));
  }
  add(required("image_url", &Creation::source, kSourceText));
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
  add(optional("os_version", &Creation::os_version, "The operating system; see os_version."));
  add(optional("is_config", &Creation::is_config, "Recorded: the guest is not changed."));
  if (creator == Creator::system_disk) {
    add(optional("cmk_id", &Creation::key, kKeyText));
  }
  add(word("architecture", &Creation::architecture, {"x86", "arm"}, Fault::architecture,
           "x86 or arm."));
  add(attribute("hw_firmware_type", "hw_firmware_type", kText, "bios or uefi."));
  add(optional("is_quick_import", &Creation::is_quick, kQuickText));
  if (creator == Creator::system_disk) add(data_disks());
  return fields;
}

std::vector<Fault> import_faults() {
  using enum Fault;
  return {empty_body,
          invalid_body,
          name_missing,
          name_not_text,
          name_too_long,
          name_form,
          description_too_long,
          description_form,
          tag_form,
          tag_limit,
          memory_or_disk_size,
          enterprise_project_form,
          image_kind,
          object_url_form,
          bucket_name_empty,
          bucket_name_invalid,
          object_name_empty,
          object_name_too_long,
          object_name_invalid,
          os_type,
          os_version,
          iso_without_os,
          iso_image,
          bare_metal_encrypted,
          no_key_service,
          new_key_missing,
          new_key_not_granted,
          new_key_disabled,
          architecture,
          firmware_type,
          name_taken,
          image_quota,
          too_many_jobs,
          no_object_store,
          job_not_stored};
}

namespace {

Result<service::ImportRequest> import_request(model::Caller const& caller, Creation const& body,
                                              Creator creator,
                                              service::OsVersions const& versions) {
  auto const kind = environment(body, creator);
  TRY(check_together(body, creator, kind));
  auto image = body.image;
  auto properties = body.properties;
  if (auto const at = properties.find("__description");
      at != properties.end() && at->second.empty()) {
    properties.erase(at);
  }
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
  TRY(documents::check_together(image, properties));
  image.id = {new_uuid()};
  image.owner = caller.project;
  image.container_format = "bare";
  image.set_properties(properties);
  image.set_tags(TRY(new_image_tags(body.tags, body.image_tags)));
  service::ImportRequest request{.source = body.source,
                                 .formats = {},
                                 .has_sub_job = body.has_sub_job,
                                 .draft = std::move(image)};
  if (creator == Creator::quick || is_quick(body)) {
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

bool is_ova(Creation const& body) {
  return !is_quick(body) && text::to_lower(body.source.object).ends_with(".ova");
}

} // namespace

Result<jobs::Order> import_order(Context const& context, Creation const& body, Creator creator,
                                 Services& services) {
  auto const& caller = context.caller;
  auto const request = [&](Creation const& of, Creator by) {
    return import_request(caller, of, by, services.os_versions);
  };
  auto const kind = job_kind(environment(body, creator));
  auto const first = TRY(request(body, creator));
  if (creator == Creator::system_disk && kind == jobs::kImportImage && is_ova(body)) {
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

} // namespace vitrine::api::ims
