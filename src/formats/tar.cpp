// tar archives, and OVA: those that begin with an OVF descriptor. Of a plain archive only the names
// of the members are read; the disks in an OVA are inspected as if they had been uploaded alone.
#include "formats/inspector.hpp"
#include "formats/tar_reader.hpp"

#include <algorithm>

namespace vitrine::formats {
namespace {

using Kind = TarMember::Kind;

// Where the first file stands that the head tells of, behind folders and extended headers.
bool begins_with_descriptor(Bytes head) {
  std::uint64_t offset = 0;
  while (lies_within(offset, kTarBlock, head.size())) {
    auto const member = tar_member_in(part(head, static_cast<std::size_t>(offset), kTarBlock));
    if (!member || member->kind == Kind::other) return false;
    if (member->kind == Kind::file) return is_ovf(member->name);
    offset += kTarBlock + padded(member->size_bytes);
  }
  return false;
}

/// What stands between the headers is passed over, or inspected.
class Members final : public Walk {
public:
  explicit Members(TarRules rules)
      : Walk(0, kTarBlock), ova_(rules == TarRules::ova), reader_(rules) {}

  Result<> finish(Source&) override {
    if (!ended_) return unsafe("is cut: the file ends before the end of its members");
    return {};
  }

protected:
  Result<> piece(Bytes bytes) override {
    TRY(close_member());
    auto const step = TRY(reader_.take(bytes, position()));
    ended_ = step.ended;
    if (ended_) {
      rest();
      return {};
    }
    if (ova_ && step.member && step.member->kind == Kind::file && step.member->size_bytes > 0) {
      content_ = std::make_unique<Inspector>(Inspector::Place::member);
      content_left_ = step.member->size_bytes;
    }
    next(step.skip, step.length);
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
  TarReader reader_;
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
          .walk = [](Bytes) -> std::unique_ptr<Walk> {
            return std::make_unique<Members>(TarRules::ova);
          }};
}

Probe tar_probe() {
  return {.format = Format::tar,
          .begins = [](Bytes head) { return is_tar(head) && !begins_with_descriptor(head); },
          .inspect = inspect,
          .walk = [](Bytes) -> std::unique_ptr<Walk> {
            return std::make_unique<Members>(TarRules::any);
          }};
}

} // namespace vitrine::formats
