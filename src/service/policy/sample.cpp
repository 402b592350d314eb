// Prints the policies for people: the sample file.
#include "service/policy/defaults.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <vector>

namespace vitrine::service::policy {

std::string sample_yaml() {
  std::vector<std::reference_wrapper<Default const>> rows(defaults().begin(), defaults().end());
  std::ranges::sort(rows, {}, [](Default const& row) { return row.name; });
  std::string out = "# Policies and their defaults. Uncomment a line to change its rule.\n";
  for (Default const& row : rows) {
    out += fmt::format("\n# {}\n", row.description);
    for (auto const operation : row.operations())
      out += fmt::format("# {}\n", operation);
    out += fmt::format("#\"{}\": \"{}\"\n", row.name, row.rule);
  }
  return out;
}

} // namespace vitrine::service::policy
