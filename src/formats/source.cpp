#include "formats/source.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::formats {
namespace {

Error pause() { return error(Fault::unavailable, "the bytes are still to come"); }

Error cut(std::string_view what) {
  return unsafe("is cut: the file ends before the end of " + std::string(what));
}

} // namespace

Error unsafe(std::string reason) { return error(Fault::format_unsafe, std::move(reason)); }

Result<Bytes> Source::read(std::uint64_t offset, std::size_t length, std::string_view what) {
  if (auto const bytes = kept(offset, length)) return *bytes;
  if (ended_ && !lies_within(offset, length, position_)) return cut(what);
  if (offset > INT64_MAX) return unsafe("places " + std::string(what) + " beyond any file");
  if (ended_) return unsafe("places " + std::string(what) + " before what refers to it");
  return want(offset, length);
}

bool Source::passed(std::uint64_t offset, std::size_t length) const noexcept {
  if (kept(offset, length) || offset >= position_) return false;
  if (ended_) return lies_within(offset, length, position_);
  return !kept(offset, static_cast<std::size_t>(position_ - offset));
}

Result<Bytes> Source::tail(std::size_t length, std::string_view what) {
  if (!ended_) return pause();
  auto const last = tail();
  if (last.size() < length) return cut(what);
  return last.last(length);
}

Result<std::uint64_t> Source::size() {
  if (!ended_) return pause();
  return position_;
}

Bytes Source::tail() const noexcept {
  Bytes const all = tail_;
  return all.last(std::min(all.size(), kTailBytes));
}

bool Source::window_open() const noexcept {
  return !windows_.empty() && windows_.back().bytes.size() < windows_.back().length;
}

bool Source::ready() noexcept {
  if (!awaiting_ || head_.size() < kHeadBytes || window_open()) return false;
  awaiting_ = false;
  return true;
}

void Source::release() noexcept {
  windows_ = {};
  window_bytes_ = 0;
}

std::size_t Source::take(Bytes chunk) {
  if (head_.size() < kHeadBytes) {
    if (head_.empty()) head_.reserve(kHeadBytes);
    chunk = chunk.first(std::min(chunk.size(), kHeadBytes - head_.size()));
    head_.insert(head_.end(), chunk.begin(), chunk.end());
  } else if (window_open()) {
    auto& window = windows_.back();
    auto const next = window.offset + window.bytes.size();
    if (next > position_) {
      auto const gap = std::min<std::uint64_t>(chunk.size(), next - position_);
      chunk = chunk.first(static_cast<std::size_t>(gap));
    } else {
      chunk = chunk.first(std::min(chunk.size(), window.length - window.bytes.size()));
      window.bytes.reserve(window.length);
      window.bytes.insert(window.bytes.end(), chunk.begin(), chunk.end());
    }
  }
  position_ += chunk.size();
  remember_tail(chunk);
  return chunk.size();
}

void Source::remember_tail(Bytes bytes) {
  bytes = bytes.last(std::min(bytes.size(), kTailBytes));
  if (tail_.size() + bytes.size() > 2 * kTailBytes) {
    auto const keep = kTailBytes - bytes.size();
    tail_.erase(tail_.begin(), tail_.end() - static_cast<std::ptrdiff_t>(keep));
  }
  tail_.insert(tail_.end(), bytes.begin(), bytes.end());
}

std::optional<Bytes> Source::kept(std::uint64_t offset, std::size_t length) const noexcept {
  auto const within = [&](std::uint64_t start, Bytes bytes) -> std::optional<Bytes> {
    if (offset < start || !lies_within(offset - start, length, bytes.size())) return std::nullopt;
    return bytes.subspan(static_cast<std::size_t>(offset - start), length);
  };
  if (auto const found = within(0, head_)) return found;
  for (auto const& window : windows_) {
    if (auto const found = within(window.offset, window.bytes)) return found;
  }
  return ended_ ? within(position_ - tail().size(), tail()) : std::nullopt;
}

Error Source::want(std::uint64_t offset, std::size_t length) {
  if (length > kWindowBytesMax - window_bytes_) return unsafe("has headers of more than 1 MiB");
  Window window{offset, length, {}};
  if (offset < position_) { // what has passed must be among the bytes kept
    auto const passed = kept(offset, static_cast<std::size_t>(position_ - offset));
    if (!passed) return unsafe("refers backwards, to bytes that have passed");
    window.bytes.assign(passed->begin(), passed->end());
  }
  window_bytes_ += length;
  windows_.push_back(std::move(window));
  awaiting_ = true;
  return pause();
}

} // namespace vitrine::formats
