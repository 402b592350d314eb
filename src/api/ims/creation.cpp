#include "api/ims/creation.hpp"

#include "api/documents/extension.hpp"
#include "service/os_versions/os_versions.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::api::ims {
namespace {

struct Kind {
  std::string_view type;
  std::string_view environment; ///< virtual_env_type
};
// Contract: ims-api 3.3.
constexpr std::array<Kind, 6> kKinds = {{{"ECS", "FusionCompute"},
                                         {"FusionCompute", "FusionCompute"},
                                         {"BMS", "Ironic"},
                                         {"Ironic", "Ironic"},
                                         {"IsoImage", "IsoImage"},
                                         {"DataImage", "DataImage"}}};

using Read = std::function<Result<>(Creation&, json::Value const&)>;

Field<Creation> field(std::string_view name, std::string_view schema, std::string_view text,
                      Read read) {
  return {{name, false, std::string(schema), text},
          [=](Creation& body, json::Object const& object, model::Caller const&) -> Result<> {
            auto const* value = detail::find(object, name);
            return value == nullptr ? Result<>() : read(body, *value);
          }};
}

// The two forms of tags are one field to the order of checks (contract: ims-api 6.3.1).
Result<> check_tags(Creation const& body, model::Caller const&) {
  TRY(new_image_tags(body.tags, body.image_tags));
  return {};
}

// Before the fields behind those of memory are judged.
Result<> check_memory(Creation const& body, model::Caller const&) {
  return documents::check_together(body.image, body.properties);
}

// A failure of a field in the element of an array.
Error inside(std::string_view element, Error failure) {
  failure.detail = fmt::format("{}.{}", element, failure.detail);
  failure.field = fmt::format("{}.{}", element, failure.field);
  return failure;
}

} // namespace

Error wrong(Fault fault, std::string_view field, std::string_view needed) {
  return error(fault, fmt::format("{}: {}", field, needed), std::string(field));
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

Field<Creation> attribute(std::string_view name, std::string_view attribute_name,
                          std::string_view schema, std::string_view text) {
  return field(name, schema, text, [=](Creation& body, json::Value const& value) -> Result<> {
    return documents::set_by_extension(body.image, body.properties, attribute_name, value);
  });
}

Field<Creation> word(std::string_view name, std::optional<std::string> Creation::* member,
                     std::vector<std::string_view> words, Fault fault, std::string_view text) {
  return field(name, kTextSchema, text, [=](Creation& body, json::Value const& value) -> Result<> {
    auto const* given = value.if_string();
    if (given != nullptr && std::ranges::find(words, json::view(*given)) != words.end()) {
      body.*member = std::string(json::view(*given));
      return {};
    }
    return wrong(fault, name, fmt::format("one of {} is needed", fmt::join(words, ", ")));
  });
}

std::string array_of(std::vector<FieldInfo> const& fields, std::int64_t most) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "array").field("maxItems", most);
  writer.key("items").begin_object();
  write_schema(writer, fields);
  writer.end_object().end_object();
  return out;
}

Result<> for_each_object(json::Object const& object, std::string_view name, std::int64_t most,
                         std::function<Result<>(json::Object const&)> const& read) {
  if (!detail::is_given(object, name)) return {};
  auto const* array = detail::find(object, name)->if_array();
  if (array == nullptr) return wrong(Fault::invalid_body, name, "must be an array");
  if (std::cmp_greater(array->size(), most)) {
    return wrong(Fault::too_many_images, name, fmt::format("at most {} at once", most));
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto const element = fmt::format("{}[{}]", name, i);
    auto const* one = (*array)[i].if_object();
    if (one == nullptr) return wrong(Fault::invalid_body, element, "must be an object");
    auto const went = read(*one);
    if (!went) return inside(element, went.error());
  }
  return {};
}

Field<Creation> type_field(std::vector<std::string_view> words) {
  return word("type", &Creation::kind, std::move(words), Fault::image_kind,
              "What the image is for.");
}

Field<Creation> os_version_field(service::OsVersions const* versions) {
  auto of = optional("os_version", &Creation::os_version, "The operating system; see os_version.");
  auto read = [read = std::move(of.read), versions](Creation& body, json::Object const& object,
                                                    model::Caller const& caller) -> Result<> {
    TRY(read(body, object, caller));
    auto const given = body.os_version.value_or("");
    if (versions != nullptr && !given.empty()) TRY(versions->read(given));
    return {};
  };
  return {std::move(of.info), std::move(read)};
}

Field<Creation> name_field(std::string_view text) {
  return attribute("name", "name", kTextSchema, text);
}

std::vector<Field<Creation>> text_fields() {
  return {optional("description", &Creation::description, "Description of the image."),
          optional("tags", &Creation::tags, "Tags as key.value, key=value or key."),
          checked(optional("image_tags", &Creation::image_tags, "Tags as keys and values."),
                  check_tags)};
}

std::vector<Field<Creation>> common_fields() {
  std::vector<Field<Creation>> fields{needed(name_field(), Fault::name_missing)};
  for (auto& field : text_fields())
    fields.push_back(std::move(field));
  for (auto& field :
       {attribute("min_ram", "min_ram", kNumberSchema, "MiB of memory at least."),
        checked(attribute("max_ram", "max_ram", kNumberSchema, "MiB of memory at most; 0 is any."),
                check_memory),
        attribute("enterprise_project_id", "enterprise_project_id", kTextSchema, "0 or a UUID.")}) {
    fields.push_back(field);
  }
  return fields;
}

std::vector<Fault> common_faults() {
  using enum Fault;
  return {empty_body,    invalid_body, name_missing,         name_not_text,
          name_too_long, name_form,    description_too_long, description_form,
          tag_form,      tag_limit,    memory_or_disk_size,  enterprise_project_form,
          name_taken,    image_quota,  too_many_jobs,        job_not_stored};
}

std::string_view environment_of(std::optional<std::string> const& type) {
  auto const* const kind = std::ranges::find(kKinds, type.value_or("ECS"), &Kind::type);
  return kind->environment;
}

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

Result<model::Image> new_image(model::Caller const& caller, Creation const& body,
                               model::Properties properties) {
  if (body.description && !body.description->text.empty()) {
    properties.insert_or_assign("__description", body.description->text);
  }
  auto image = body.image;
  TRY(documents::check_together(image, properties));
  image.id = {new_uuid()};
  image.owner = caller.project;
  image.container_format = "bare";
  image.set_properties(properties);
  image.set_tags(TRY(new_image_tags(body.tags, body.image_tags)));
  return image;
}

} // namespace vitrine::api::ims
