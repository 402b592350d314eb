// Policy files and single rules: any text is either refused or yields rules that can be evaluated.
#include "service/policy/policy.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace policy = vitrine::service::policy;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  static std::vector<std::string> const roles = {"member", "reader"};
  policy::Credentials const caller{
      .user_id = "u", .project_id = "p", .domain_id = {}, .roles = roles};
  auto const target = policy::Target()
                          .set(policy::Attribute::owner, "p")
                          .set(policy::Attribute::visibility, policy::Value::none());

  std::vector<policy::Default> const rows = {{"x", text, "", {}}};
  if (auto const rule = policy::Policy::load(rows)) {
    (void)rule->allows(policy::ActionId{0}, caller, target);
  }
  static std::vector<policy::Default> const few = {{"x", "role:member", "", {}},
                                                   {"y", "rule:x or project_id:%(owner)s", "", {}}};
  if (auto const file = policy::Policy::parse(few, text, "policy.yaml")) {
    for (std::uint16_t i = 0; i < few.size(); ++i) {
      (void)file->allows(policy::ActionId{i}, caller, target);
    }
  }
  return 0;
}
