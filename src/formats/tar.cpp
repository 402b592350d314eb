// tar archives, and OVA: those that begin with an OVF descriptor. Of a plain archive only the names
// of the members are read; the disks in an OVA are inspected as if they had been uploaded alone.
#include "base/text.hpp"
#include "formats/inspector.hpp"
#include "formats/tar_member.hpp"

#include <algorithm>

namespace vitrine::formats {
namespace {

using Kind = TarMember::Kind;

constexpr std::size_t kExtensionBytesMax = 64U << 10U; // a name and a few numbers
constexpr int kFilesMaxInOva = 1024;                   // a virtual machine has a handful

bool climbs(std::string_view name) {
  if (name.starts_with('/')) return true;
  auto const parts = text::split(name, '/');
  return std::ranges::find(parts, "..") != parts.end();
}

bool is_descriptor(std::string_view name) { return text::to_lower(name).ends_with(".ovf"); }

// Where the first file stands that the head tells of, behind folders and extended headers.
bool begins_with_descriptor(Bytes head) {
  std::uint64_t offset = 0;
  while (lies_within(offset, kTarBlock, head.size())) {
    auto const member = tar_member_in(part(head, static_cast<std::size_t>(offset), kTarBlock));
    if (!member || member->kind == Kind::other) return false;
    if (member->kind == Kind::file) return is_descriptor(member->name);
    offset += kTarBlock + padded(member->size_bytes);
  }
  return false;
}

/// From header to header. What stands between them is passed over, or inspected.
class Members final : public Walk {
public:
  /// The rules of an OVA: who unpacks it must find files, all of them safe to read.
  explicit Members(bool ova) : Walk(0, kTarBlock), ova_(ova) {}

  Result<> finish(Source&) override {
    if (!ended_) return unsafe("is cut: the file ends before the end of its members");
    return {};
  }

protected:
  Result<> piece(Bytes bytes) override {
    if (extending_) return read_extension(bytes);
    TRY(close_member());
    if (all_zero(bytes)) {
      ended_ = true;
      rest();
      return {};
    }
    auto member = TRY(tar_member_in(bytes));
    switch (member.kind) {
    case Kind::extended:
    case Kind::extended_global:
    case Kind::long_name: return expect_extension(member);
    case Kind::file:
    case Kind::folder:
    case Kind::other: return open_member(std::move(member));
    }
    return {};
  }

  Result<> passed(Bytes bytes) override {
    if (ended_ && ova_ && !all_zero(bytes)) return unsafe("has bytes behind its end");
    if (!content_) return {};
    auto const count = std::min<std::uint64_t>(bytes.size(), content_left_);
    content_->feed(bytes.first(static_cast<std::size_t>(count)));
    content_left_ -= count;
    if (auto const early = content_->early()) return judge(*early);
    return {};
  }

private:
  Result<> expect_extension(TarMember const& member) {
    if (member.size_bytes == 0 || member.size_bytes > kExtensionBytesMax) {
      return unsafe("has an extended header of a size out of range");
    }
    extending_ = member;
    next(0, static_cast<std::size_t>(padded(member.size_bytes)));
    return {};
  }

  Result<> read_extension(Bytes bytes) {
    auto const header = std::exchange(extending_, std::nullopt).value();
    auto const text = characters(bytes.first(static_cast<std::size_t>(header.size_bytes)));
    if (header.kind == Kind::long_name) {
      extension_.name = text.substr(0, text.find('\0'));
    } else if (header.kind == Kind::extended) {
      TRY(extend(extension_, text));
    } else {
      TarExtension all;
      TRY(extend(all, text));
      if (all.name || all.size_bytes || all.sparse) {
        return unsafe("has one name or size for all of its members");
      }
    }
    next(0, kTarBlock);
    return {};
  }

  Result<> open_member(TarMember member) {
    auto const extension = std::exchange(extension_, {});
    if (extension.name) member.name = *extension.name;
    if (extension.size_bytes) member.size_bytes = *extension.size_bytes;
    if (climbs(member.name)) return unsafe("has a member whose name leads out of the archive");
    if (ova_) TRY(check_for_ova(member, extension));
    if (ova_ && member.kind == Kind::file && member.size_bytes > 0) {
      content_ = std::make_unique<Inspector>(Inspector::Place::member);
      content_left_ = member.size_bytes;
    }
    next(padded(member.size_bytes), kTarBlock);
    if (position() + padded(member.size_bytes) > INT64_MAX) {
      return unsafe("has a member of a size out of range");
    }
    return {};
  }

  Result<> check_for_ova(TarMember const& member, TarExtension const& extension) {
    if (member.kind == Kind::other) return unsafe("has a member that is no file, as a link");
    if (extension.sparse) return unsafe("has a sparse member");
    if (member.kind == Kind::folder && member.size_bytes > 0) {
      return unsafe("has a folder with a content of its own");
    }
    if (++files_ > kFilesMaxInOva) return unsafe("has too many members");
    return {};
  }

  Result<> close_member() {
    if (!content_) return {};
    return judge(std::exchange(content_, nullptr)->finish());
  }

  static Result<> judge(Finding const& finding) {
    if (!finding.unsafe) return {};
    return unsafe("holds a " + std::string(name_of(finding.format)) + " that " + *finding.unsafe);
  }

  bool const ova_;
  bool ended_{false};
  int files_{0};
  std::optional<TarMember> extending_; ///< the extended header whose content comes next
  TarExtension extension_;             ///< of the member that comes next
  std::unique_ptr<Inspector> content_; ///< of the member that passes now
  std::uint64_t content_left_{0};
};

// What there is to say stands all along the file.
Result<VirtualSize> inspect(Source&) { return VirtualSize{}; }

} // namespace

Probe ova_probe() {
  return {.format = Format::ova,
          .begins = [](Bytes head) { return is_tar(head) && begins_with_descriptor(head); },
          .inspect = inspect,
          .walk = [](Bytes) -> std::unique_ptr<Walk> { return std::make_unique<Members>(true); }};
}

Probe tar_probe() {
  return {.format = Format::tar,
          .begins = [](Bytes head) { return is_tar(head) && !begins_with_descriptor(head); },
          .inspect = inspect,
          .walk = [](Bytes) -> std::unique_ptr<Walk> { return std::make_unique<Members>(false); }};
}

} // namespace vitrine::formats
