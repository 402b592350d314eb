#include "store/keys/key_names.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::store {
namespace {

constexpr std::size_t kNameBytesMax = 64;

} // namespace

Result<> check_key_name(std::string_view name) {
  bool const fits = std::ranges::all_of(name, [](char c) {
    return text::is_alnum(c) || std::string_view("._-").find(c) != std::string_view::npos;
  });
  if (fits && !name.empty() && name.size() <= kNameBytesMax) return {};
  return error(Fault::invalid_value,
               fmt::format("name: must have 1 to {} of A-Z a-z 0-9 . _ -", kNameBytesMax), "name");
}

std::string default_key_name(ProjectId const& project) { return "ims/default:" + project.text; }

} // namespace vitrine::store
