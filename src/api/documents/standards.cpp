#include "api/documents/standards.hpp"

#include <algorithm>

namespace vitrine::api::documents {
namespace {

// A machine with one of these is none of KVM, unless the image says so (contract: ims-api 3.4).
constexpr std::array<std::string_view, 3> kNoKvm = {
    R"("__support_xen_gpu_type":)", R"("__support_kvm_gpu_type":)", R"("__support_xen_hana":)"};

constexpr std::string_view kKind = R"("virtual_env_type":)";
constexpr std::string_view kKindAndText = R"("virtual_env_type":"FusionCompute")";

constexpr std::array<Standard, 10> kStandards = {
    {{R"("__isregistered":)", "true"},
     {R"("__os_version":)", "Other Linux(64 bit)"},
     {R"("__os_type":)", "Linux"},
     {R"("__os_bit":)", "64"},
     {R"("__platform":)", "Other"},
     {R"("__root_origin":)", "file"},
     {kKind, kVirtualMachine},
     {R"("enterprise_project_id":)", "0", View::extension},
     {R"("__is_config_init":)", "false", View::extension},
     {R"("__support_kvm":)", "true", View::extension, true, kNoKvm}}};

} // namespace

std::span<Standard const> standards(View view) {
  auto const end = std::ranges::find_if(
      kStandards, [&](Standard const& standard) { return standard.from > view; });
  return {kStandards.begin(), end};
}

Standard const* standard_named(std::string_view name, View view) {
  auto const all = standards(view);
  auto const at = std::ranges::find(all, name, &Standard::name);
  return at == all.end() ? nullptr : &*at;
}

bool is_shown(Standard const& standard, model::Properties const& stored) {
  if (stored.contains(standard.name())) return false;
  auto const kind = stored.find(name_of_key(kKind));
  if (standard.of_machines && kind != stored.end() && kind->second != kVirtualMachine) return false;
  return std::ranges::none_of(
      standard.without, [&](std::string_view key) { return stored.contains(name_of_key(key)); });
}

bool StoredText::has(std::string_view key) const {
  auto at = text_.find(key);
  while (at != std::string_view::npos && text_[at - 1] == '\\')
    at = text_.find(key, at + key.size());
  return at != std::string_view::npos;
}

bool StoredText::shows(Standard const& standard) const {
  if (has(standard.key)) return false;
  if (standard.of_machines && has(kKind) && !has(kKindAndText)) return false;
  return std::ranges::none_of(standard.without, [&](std::string_view key) { return has(key); });
}

} // namespace vitrine::api::documents
