// Bodies that make an image from a file in a bucket (contract: ims-api 6.3.1, 6.3.2, 6.4, 6.5).
#pragma once

#include "api/ims/fields.hpp"
#include "api/ims/tag_fields.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"
#include "model/image.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api::ims {

/// What the body of a request that makes an image says.
struct Creation {
  model::Image image;           ///< name, min_disk, min_ram
  model::Properties properties; ///< the others that are attributes
  std::optional<TagTexts> tags;
  std::optional<TagList> image_tags;
  std::optional<std::string> kind; ///< `type`: what virtual_env_type says of it
  model::ObjectUrl source;
  std::optional<std::string> os_type;
  std::optional<std::string> os_version;
  std::optional<std::string> architecture;
  std::optional<Flag> is_config;
  std::optional<Flag> is_quick;
  std::optional<std::string> key;
  std::vector<Creation> data_disks; ///< of a machine whose system disk this is
  bool has_sub_job{false};          ///< its job is told with one
};

/// Which endpoint makes it.
enum class Creator : std::uint8_t { system_disk, data_disk, quick };

/// The fields that every body has which makes an image (contract: ims-api 6.3.1).
std::vector<Field<Creation>> common_fields();
/// The fields of the body of an import, in the order in which faults are told.
std::vector<Field<Creation>> import_fields(Creator creator);
/// The faults of those fields and of `import_order`, for the API document.
std::vector<Fault> import_faults();
/// The job of a body that was read. Errors: what its fields say only together.
Result<jobs::Order> import_order(Context const& context, Creation const& body, Creator creator,
                                 Services& services);

} // namespace vitrine::api::ims
