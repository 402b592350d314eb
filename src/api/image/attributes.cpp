#include "api/image/attributes.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace vitrine::api::image {
namespace {

enum class Rule : std::uint8_t {
  base,      ///< a field that users set
  read_only, ///< a field that the service sets
  ims_only,  ///< read-only in profile ims, an ordinary property in the other
  reserved,  ///< a property that the service alone sets, or a field not on offer
  operated,  ///< a property that administrators set
  fixed,     ///< a property that POST sets
  ignored,   ///< taken for the sake of old clients, and dropped
};

struct Named {
  std::string_view name;
  Rule rule;
};

// Every other name is a property that the owner sets. The rules for `__*` hold in both profiles:
// sharing, copies and exports go by these attributes.
constexpr Named kNamed[] = {
    {"name", Rule::base},
    {"visibility", Rule::base},
    {"protected", Rule::base},
    {"os_hidden", Rule::base},
    {"owner", Rule::base},
    {"disk_format", Rule::base},
    {"container_format", Rule::base},
    {"min_disk", Rule::base},
    {"min_ram", Rule::base},
    {"tags", Rule::base},
    {"id", Rule::read_only},
    {"status", Rule::read_only},
    {"size", Rule::read_only},
    {"virtual_size", Rule::read_only},
    {"checksum", Rule::read_only},
    {"os_hash_algo", Rule::read_only},
    {"os_hash_value", Rule::read_only},
    {"created_at", Rule::read_only},
    {"updated_at", Rule::read_only},
    {"self", Rule::read_only},
    {"file", Rule::read_only},
    {"schema", Rule::read_only},
    {"direct_url", Rule::read_only},
    {"stores", Rule::read_only},
    {"active_at", Rule::ims_only},
    {"virtual_env_type", Rule::ims_only},
    {"location", Rule::reserved},
    {"locations", Rule::reserved},
    {"deleted", Rule::reserved},
    {"deleted_at", Rule::reserved},
    {"_sys_enterprise_project_id", Rule::reserved},
    {"__imagetype", Rule::reserved},
    {"__image_source_type", Rule::reserved},
    {"__image_size", Rule::reserved},
    {"__image_location", Rule::reserved},
    {"__os_type", Rule::reserved},
    {"__os_bit", Rule::reserved},
    {"__platform", Rule::reserved},
    {"__originalimagename", Rule::reserved},
    {"__backup_id", Rule::reserved},
    {"__data_origin", Rule::reserved},
    {"__root_origin", Rule::reserved},
    {"__whole_image", Rule::reserved},
    {"__system__cmkid", Rule::reserved},
    {"__sequence_num", Rule::reserved},
    {"__support_arm", Rule::reserved},
    {"__isregistered", Rule::operated},
    {"__lazyloading", Rule::operated},
    {"__os_feature_list", Rule::operated},
    {"__account_code", Rule::operated},
    {"__productcode", Rule::operated},
    {"__image_displayname", Rule::operated},
    {"__image_login_user", Rule::operated},
    {"export_forbidden", Rule::operated},
    {"__os_version", Rule::fixed},
    {"__system_support_market", Rule::ignored},
    {"__is_offshelved", Rule::ignored},
    {"__support_kvm_fpga_type", Rule::ignored},
};

// What documents of profile ims show beside the standards, and no image stores.
constexpr std::string_view kComputed[] = {"__imagetype", "__image_source_type", "__image_size"};

constexpr std::array<Standard, 7> kStandards = {{{R"("__isregistered":)", "true"},
                                                 {R"("__os_version":)", "Other Linux(64 bit)"},
                                                 {R"("__os_type":)", "Linux"},
                                                 {R"("__os_bit":)", "64"},
                                                 {R"("__platform":)", "Other"},
                                                 {R"("__root_origin":)", "file"},
                                                 {R"("virtual_env_type":)", "FusionCompute"}}};

Named const* find(std::string_view name) {
  auto const* const found = std::ranges::find(kNamed, name, &Named::name);
  return found == std::end(kNamed) ? nullptr : found;
}

Error read_only(std::string_view name) {
  return error(Fault::read_only_attribute, fmt::format("Attribute '{}' is read-only.", name));
}

Error reserved(std::string_view name) {
  return error(Fault::reserved_attribute, fmt::format("Attribute '{}' is reserved.", name));
}

} // namespace

bool is_base(std::string_view name) {
  auto const* const named = find(name);
  return named != nullptr && named->rule == Rule::base;
}

Result<bool> may_set(std::string_view name, Setter const& setter) {
  if (name.starts_with("os_glance_")) return reserved(name);
  auto const* const named = find(name);
  if (named == nullptr) return true;
  switch (named->rule) {
  case Rule::base: return true;
  case Rule::ignored: return false;
  case Rule::read_only: return read_only(name);
  case Rule::reserved:
    if (setter.copies && name.starts_with("__")) return false;
    return reserved(name);
  case Rule::ims_only:
    if (setter.copies) return false;
    if (!setter.ims_profile) break;
    return read_only(name);
  case Rule::operated:
    if (setter.is_admin) break;
    if (setter.copies) return false;
    return reserved(name);
  case Rule::fixed:
    if (!setter.creates) return read_only(name);
    break;
  }
  return true;
}

bool is_always_shown(std::string_view name) {
  return std::ranges::find(kComputed, name) != std::end(kComputed) ||
         std::ranges::find(kStandards, name, &Standard::name) != kStandards.end();
}

bool copies_document(json::Object const& body) {
  return std::ranges::all_of(kComputed, [&](std::string_view name) { return body.contains(name); });
}

std::vector<OwnAttribute> own_attributes() {
  std::vector<OwnAttribute> own;
  for (auto const& [name, rule] : kNamed) {
    bool const shown = rule == Rule::ims_only || (rule != Rule::ignored && name.starts_with("__"));
    if (shown) own.push_back({name, rule != Rule::fixed});
  }
  return own;
}

std::span<Standard const> standards() { return kStandards; }

} // namespace vitrine::api::image
