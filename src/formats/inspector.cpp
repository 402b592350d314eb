#include "formats/inspector.hpp"

namespace vitrine::formats {

void Inspector::feed(std::span<std::byte const> chunk) {
  while (!chunk.empty()) {
    auto const taken = source_.take(chunk);
    walk(chunk.first(taken));
    chunk = chunk.subspan(taken);
    if (source_.ready() && !decided_) look();
  }
}

std::optional<Finding> Inspector::early() const {
  if (probe_ == nullptr) return std::nullopt;
  return finding_;
}

Finding Inspector::finish() {
  source_.end();
  if (!decided_) look();
  decided_ = true;
  finding_.size_bytes = *source_.size();
  return finding_;
}

// The head tells the format. Bytes that are two formats at once mean different disks to different
// readers.
void Inspector::recognise() {
  auto const meet = [&](Probe const& probe) {
    if (probe_ == nullptr) {
      probe_ = &probe;
      finding_.format = probe.format;
      finding_.serves_plain = probe.serves_plain != nullptr && probe.serves_plain(source_.head());
    } else if (probe_->format != probe.format && !finding_.unsafe) {
      finding_.unsafe = "is " + std::string(name_of(probe.format)) + " as well";
      finding_.virtual_size_bytes.reset();
    }
  };
  for (auto const& probe : probes()) {
    if (!looked_ && probe.begins(source_.head())) meet(probe);
    if (probe.ends != nullptr && source_.size() && probe.ends(source_.tail())) meet(probe);
  }
  looked_ = true;
}

void Inspector::look() {
  auto const size = source_.size();
  bool const first = !looked_;
  if (first || size) recognise();
  if (!finding_.unsafe && probe_ != nullptr) {
    auto const virtual_size = probe_->inspect(source_);
    if (virtual_size) {
      finding_.virtual_size_bytes = *virtual_size;
    } else if (virtual_size.error().fault != Fault::unavailable) {
      refuse(virtual_size.error());
    }
    if (first) begin_walk();
    if (!virtual_size && !finding_.unsafe) return;
  } else if (probe_ == nullptr && size) {
    finding_.virtual_size_bytes = *size;
  }
  if (size && walk_ && !finding_.unsafe) {
    if (auto const walked = walk_->finish(source_); !walked) refuse(walked.error());
  }
  decided_ = finding_.unsafe || size;
  if (decided_) source_.release();
}

// The walk begins late, when the head tells the format, with all the bytes there were.
void Inspector::begin_walk() {
  bool const opened = place_ == Place::upload || nature_of(probe_->format) != Nature::archive;
  if (finding_.unsafe || probe_->walk == nullptr || !opened) return;
  walk_ = probe_->walk(source_.head());
  walk(source_.head());
}

void Inspector::walk(Bytes bytes) {
  if (!walk_) return;
  if (auto const walked = walk_->feed(bytes); !walked) refuse(walked.error());
}

void Inspector::refuse(Error const& reason) {
  finding_.unsafe = reason.detail;
  finding_.virtual_size_bytes.reset();
  decided_ = true;
  walk_.reset();
  source_.release();
}

} // namespace vitrine::formats
