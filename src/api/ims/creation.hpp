// Bodies that make an image: what they have in common, whatever it is made from (contract: ims-api
// 6.3.1).
#pragma once

#include "api/ims/fields.hpp"
#include "api/ims/tag_fields.hpp"
#include "api/kit/endpoint.hpp"
#include "model/image.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service {
class OsVersions;
}

namespace vitrine::api::ims {

/// What the body of a request that makes an image says.
struct Creation {
  model::Image image;           ///< name, min_disk, min_ram
  model::Properties properties; ///< the others that are attributes
  std::optional<Description> description;
  std::optional<TagTexts> tags;
  std::optional<TagList> image_tags;
  std::optional<std::string> kind; ///< `type`: what virtual_env_type says of it
  model::ObjectUrl source;
  std::optional<Sha256> expected; ///< of the bytes of the source
  std::optional<std::string> os_type;
  std::optional<std::string> os_version;
  std::optional<std::string> architecture;
  std::optional<Flag> is_config;
  std::optional<Flag> is_quick;
  std::optional<std::string> key;
  std::vector<Creation> data_disks; ///< of a machine whose system disk this is
  bool has_sub_job{false};          ///< its job is told with one
};

inline constexpr std::string_view kTextSchema = R"({"type":"string"})";
inline constexpr std::string_view kNumberSchema = R"({"type":["integer","string"]})";

/// A failure of a field: what it needs, or that it is missing.
Error wrong(Fault fault, std::string_view field, std::string_view needed);
/// That field, but without it the body has this fault.
Field<Creation> needed(Field<Creation> of, Fault missing);
/// A field whose form is that of an attribute.
Field<Creation> attribute(std::string_view name, std::string_view attribute_name,
                          std::string_view schema, std::string_view text);
/// One of some words, as they are written; else the body has this fault.
Field<Creation> word(std::string_view name, std::optional<std::string> Creation::* member,
                     std::vector<std::string_view> words, Fault fault, std::string_view text);

/// The schema of an array of objects with these fields.
std::string array_of(std::vector<FieldInfo> const& fields, std::int64_t most);
/// Reads the objects of an array, which may be absent. Errors: `invalid_body`; `too_many_images`;
/// that of `read`, as of a field of the element.
Result<> for_each_object(json::Object const& object, std::string_view name, std::int64_t most,
                         std::function<Result<>(json::Object const&)> const& read);

/// The field `type`: one of these words.
Field<Creation> type_field(std::vector<std::string_view> words);
/// The field `os_version`, judged by what is known of systems; with null it is only described.
/// Error: `os_version`.
Field<Creation> os_version_field(service::OsVersions const* versions);
/// Its name, for whoever says what a missing one means.
Field<Creation> name_field(std::string_view text = "Name of the image.");
/// Its description and tags.
std::vector<Field<Creation>> text_fields();
/// The fields that every body has which makes an image.
std::vector<Field<Creation>> common_fields();
/// The faults of those, for the API document.
std::vector<Fault> common_faults();

/// What `virtual_env_type` says of a type of `type_field`; of ECS for none.
std::string_view environment_of(std::optional<std::string> const& type);
/// Sets what the system on the disk is: as the client says, else an unknown one of its type. Error:
/// `os_version`.
Result<> describe_system(Creation const& body, service::OsVersions const& versions,
                         model::Properties& properties);
/// The image of a body with these properties, new and of the caller. Errors: what its fields say
/// only together.
Result<model::Image> new_image(model::Caller const& caller, Creation const& body,
                               model::Properties properties);

} // namespace vitrine::api::ims
