#include "api/documents/attributes.hpp"

#include "service/expected_hash.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::api::documents {
namespace {

constexpr Extension kNeither{false, false};
constexpr Extension kFilter{true, false};
constexpr Extension kPatch{false, true};
constexpr Extension kBoth{true, true};

// The rules for `__*` hold in both profiles: sharing, copies and exports go by these attributes.
constexpr Attribute kAttributes[] = {
    {"name", SetBy::user, Form::name, kBoth},
    {"visibility", SetBy::user, Form::text, kFilter},
    {"protected", SetBy::user, Form::flag, kBoth},
    {"os_hidden", SetBy::user},
    {"owner", SetBy::user, Form::text, kFilter},
    {"disk_format", SetBy::user, Form::text, kFilter},
    {"container_format", SetBy::user, Form::text, kFilter},
    {"min_disk", SetBy::user, Form::disk, kBoth},
    {"min_ram", SetBy::user, Form::memory, kBoth},
    {"tags", SetBy::user},
    {"id", SetBy::service, Form::text, kFilter},
    {"status", SetBy::service, Form::text, kFilter},
    {"size", SetBy::service},
    {"virtual_size", SetBy::service},
    {"checksum", SetBy::service},
    {"os_hash_algo", SetBy::service},
    {"os_hash_value", SetBy::service},
    {"created_at", SetBy::service, Form::text, kFilter},
    {"updated_at", SetBy::service, Form::text, kFilter},
    {"self", SetBy::service},
    {"file", SetBy::service},
    {"schema", SetBy::service},
    {"direct_url", SetBy::service},
    {"stores", SetBy::service},
    {"active_at", SetBy::ims},
    {"virtual_env_type", SetBy::ims, Form::text, kFilter},
    {"location", SetBy::reserved},
    {"locations", SetBy::reserved},
    {"deleted", SetBy::reserved},
    {"deleted_at", SetBy::reserved},
    {"_sys_enterprise_project_id", SetBy::reserved},
    {"__imagetype", SetBy::reserved, Form::text, kFilter},
    {"__image_source_type", SetBy::reserved},
    {"__image_size", SetBy::reserved},
    {"__image_location", SetBy::reserved},
    {"__os_type", SetBy::reserved, Form::text, kFilter},
    {"__os_bit", SetBy::reserved, Form::text, kFilter},
    {"__platform", SetBy::reserved, Form::text, kFilter},
    {"__originalimagename", SetBy::reserved},
    {"__backup_id", SetBy::reserved},
    {"__backup_ids", SetBy::reserved},
    {"__data_origin", SetBy::reserved},
    {"__root_origin", SetBy::reserved},
    {"__whole_image", SetBy::reserved, Form::flag, kFilter},
    {"__system__cmkid", SetBy::reserved, Form::key, kFilter},
    {"__sequence_num", SetBy::reserved},
    {"__support_arm", SetBy::reserved, Form::flag},
    {"__isregistered", SetBy::operators, Form::flag, kFilter},
    {"__lazyloading", SetBy::operators, Form::flag},
    {"__os_feature_list", SetBy::operators, Form::json, kPatch},
    {"__account_code", SetBy::operators},
    {"__productcode", SetBy::operators},
    {"__image_displayname", SetBy::operators, Form::text, kPatch},
    {"__image_login_user", SetBy::operators, Form::text, kPatch},
    {"export_forbidden", SetBy::operators, Form::flag},
    {"__os_version", SetBy::creator, Form::text, kFilter},
    {"max_ram", SetBy::owner, Form::memory, kPatch},
    {"enterprise_project_id", SetBy::owner, Form::enterprise_project, kBoth},
    {"hw_firmware_type", SetBy::owner, Form::firmware, kPatch},
    {"hw_vif_multiqueue_enabled", SetBy::owner, Form::flag, kPatch},
    {"os_shutdown_timeout", SetBy::owner, Form::digits, kPatch},
    {"__description", SetBy::owner, Form::description, kPatch},
    {"__is_config_init", SetBy::owner, Form::flag, kPatch},
    {"__support_agent_list", SetBy::owner, Form::agents, kPatch},
    {"__support_kvm", SetBy::owner, Form::flag, kBoth},
    {"__support_xen", SetBy::owner, Form::flag, kBoth},
    {"__support_largememory", SetBy::owner, Form::flag, kBoth},
    {"__support_diskintensive", SetBy::owner, Form::flag, kBoth},
    {"__support_highperformance", SetBy::owner, Form::flag, kBoth},
    {"__support_xen_gpu_type", SetBy::owner, Form::text, kBoth},
    {"__support_kvm_gpu_type", SetBy::owner, Form::text, kBoth},
    {"__support_xen_hana", SetBy::owner, Form::flag, kBoth},
    {"__support_kvm_infiniband", SetBy::owner, Form::flag, kBoth},
    {"__support_fc_inject", SetBy::owner, Form::flag, kPatch},
    {"__support_amd", SetBy::owner, Form::flag, kPatch},
    {"__support_kvm_hi1822_hisriov", SetBy::owner, Form::flag, kPatch},
    {"__support_kvm_hi1822_hivirtionet", SetBy::owner, Form::flag, kPatch},
    {"__support_kvm_hi1822_hiovs", SetBy::owner, Form::flag, kPatch},
    {"__support_kvm_nvme_spdk", SetBy::owner, Form::flag, kPatch},
    {"__system_support_market", SetBy::nobody, Form::text, kNeither},
    {"__is_offshelved", SetBy::nobody, Form::text, kNeither},
    {"__support_kvm_fpga_type", SetBy::nobody, Form::text, kNeither},
};

constexpr std::string_view kComputed[] = {"__imagetype", "__image_source_type", "__image_size"};

Error read_only(std::string_view name) {
  return error(Fault::read_only_attribute, fmt::format("Attribute '{}' is read-only.", name));
}

Error reserved(std::string_view name) {
  return error(Fault::reserved_attribute, fmt::format("Attribute '{}' is reserved.", name));
}

} // namespace

std::span<Attribute const> attributes() { return kAttributes; }

Attribute const* attribute_named(std::string_view name) {
  auto const* const found = std::ranges::find(kAttributes, name, &Attribute::name);
  return found == std::end(kAttributes) ? nullptr : found;
}

bool is_base(std::string_view name) {
  auto const* const attribute = attribute_named(name);
  return attribute != nullptr && attribute->by == SetBy::user;
}

Result<bool> may_set(std::string_view name, Setter const& setter) {
  // The hash is a field of imports. As a property nobody would compare it, and servers made from
  // the image would hand it on to their own images, whose bytes are others.
  if (name.starts_with("os_glance_") || name == service::kExpectedHashField) return reserved(name);
  auto const* const attribute = attribute_named(name);
  if (attribute == nullptr) return true;
  switch (attribute->by) {
  case SetBy::user:
  case SetBy::owner: return true;
  case SetBy::nobody: return false;
  case SetBy::service: return read_only(name);
  case SetBy::reserved:
    if (setter.copies && name.starts_with("__")) return false;
    return reserved(name);
  case SetBy::ims:
    if (setter.copies) return false;
    if (!setter.ims_profile) break;
    return read_only(name);
  case SetBy::operators:
    if (setter.is_admin) break;
    if (setter.copies) return false;
    return reserved(name);
  case SetBy::creator:
    if (!setter.creates) return read_only(name);
    break;
  }
  return true;
}

bool is_computed(std::string_view name) {
  return std::ranges::find(kComputed, name) != std::end(kComputed);
}

bool copies_document(json::Object const& body) {
  return std::ranges::all_of(kComputed, [&](std::string_view name) { return body.contains(name); });
}

std::vector<OwnAttribute> own_attributes() {
  std::vector<OwnAttribute> own;
  for (auto const& attribute : kAttributes) {
    bool const users = attribute.by == SetBy::owner || attribute.by == SetBy::nobody;
    bool const shown = attribute.by == SetBy::ims || (!users && attribute.name.starts_with("__"));
    if (shown) own.push_back({attribute.name, attribute.by != SetBy::creator});
  }
  return own;
}

} // namespace vitrine::api::documents
