#include "base/result.hpp"

#include <cstdio>

namespace vitrine {

void check_failed(char const* condition, char const* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

} // namespace vitrine
