// Result<T>: a value or an Error, never silently dropped. TRY returns the error of an expression
// early.
#pragma once

#include "base/error.hpp"

#include <cstdlib>
#include <expected>
#include <utility>

namespace vitrine {

/// std::expected of libstdc++ 12 is not [[nodiscard]]; this one is.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
  using std::expected<T, Error>::expected;
  Result(Error failure) : std::expected<T, Error>(std::unexpect, std::move(failure)) {}
};

namespace detail {
template <class T>
T unwrap(Result<T>& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
} // namespace detail

/// The value of `expression`, or return its error from the enclosing function (which returns a
/// Result). Never inside a braced initialiser: g++ 12 leaks the members built before it.
#define TRY(...)                                                                                   \
  __extension__({                                                                                  \
    auto vitrine_try_result = (__VA_ARGS__);                                                       \
    if (!vitrine_try_result) return std::move(vitrine_try_result).error();                         \
    ::vitrine::detail::unwrap(vitrine_try_result);                                                 \
  })

/// Stops the process when `condition` is false. For our own mistakes, never for input.
#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::vitrine::check_failed(#condition, __FILE__, __LINE__);                                     \
  } while (false)

[[noreturn]] void check_failed(char const* condition, char const* file, int line) noexcept;

} // namespace vitrine
