#include "net/message.hpp"

#include "base/text.hpp"

#include <unistd.h>

namespace vitrine::net {

std::optional<std::string_view> RequestHead::header(std::string_view name) const noexcept {
  for (Header const& each : headers) {
    if (text::equals_ignoring_case(each.name, name)) return text::trim(each.value);
  }
  return std::nullopt;
}

FileRange::FileRange(FileRange&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), offset_(other.offset_),
      length_(other.length_) {}

FileRange& FileRange::operator=(FileRange&& other) noexcept {
  if (this == &other) return *this;
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = std::exchange(other.descriptor_, -1);
  offset_ = other.offset_;
  length_ = other.length_;
  return *this;
}

FileRange::~FileRange() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

} // namespace vitrine::net
