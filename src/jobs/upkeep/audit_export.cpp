#include "jobs/upkeep/audit_export.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vitrine::jobs {
namespace {

// A row may stand for 256 pairs: this many rows make a few megabytes of lines at most.
constexpr std::int64_t kRowsPerPass = 16;
// Longer than any line: a caller's names are bounded, a detail too.
constexpr off_t kTailBytes = 1 << 20;

Error system_error(std::string_view what, std::string const& path) {
  auto const fault = errno == ENOSPC || errno == EDQUOT ? Fault::store_full : Fault::unavailable;
  return error(fault, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

std::string_view text_in(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  auto const* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : json::view(*text);
}

// The stored event is an object; a line is the same object with more members.
void append_line(std::string& out, store::OutboxRow const& row, std::int64_t target,
                 std::string_view project, std::string_view fault,
                 AuditExport::Reason const& reason) {
  fmt::format_to(std::back_inserter(out), R"({{"id":"{0}-{1}","sequence":{0},"pair":{1},)",
                 row.sequence, target);
  if (fault.empty()) {
    out += R"("outcome":"success",)";
  } else {
    auto const why = reason(fault_named(fault));
    fmt::format_to(std::back_inserter(out),
                   R"("outcome":"failure","reason":{{"reasonType":"{}","reasonCode":"{}"}},)",
                   why.status, why.code);
  }
  if (!project.empty()) {
    out += R"("member":)";
    json::append_string(out, project);
    out += ',';
  }
  out.append(row.event, 1);
  out += '\n';
}

} // namespace

AuditExport::AuditExport(store::Database& database, std::string path, Reason reason)
    : database_(database), path_(std::move(path)), reason_(std::move(reason)) {}

AuditExport::~AuditExport() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<AuditExport>> AuditExport::open(store::Database& database, std::string path,
                                                       Reason reason) {
  std::unique_ptr<AuditExport> opened(
      new AuditExport(database, std::move(path), std::move(reason)));
  TRY(opened->open_file());
  TRY(opened->find_place());
  return opened;
}

Result<> AuditExport::open_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return system_error("cannot open", path_);
  return {};
}

Result<> AuditExport::find_place() {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return system_error("cannot read", path_);
  auto const from = std::max<off_t>(0, status.st_size - kTailBytes);
  std::string tail(static_cast<std::size_t>(status.st_size - from), '\0');
  std::size_t have = 0;
  while (have < tail.size()) {
    auto const got = ::pread(descriptor_, tail.data() + have, tail.size() - have,
                             from + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error("cannot read", path_);
    have += static_cast<std::size_t>(got);
  }
  auto const end = tail.rfind('\n');
  auto const whole = end == std::string::npos ? 0 : end + 1;
  if (whole < tail.size() && ::ftruncate(descriptor_, from + static_cast<off_t>(whole)) != 0) {
    return system_error("cannot cut", path_);
  }
  if (whole == 0) return {};
  auto const before = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
  auto const begin = before == std::string::npos ? 0 : before + 1;
  auto const line = json::parse(std::string_view(tail).substr(begin, end - begin));
  auto const* object = line ? line->if_object() : nullptr;
  auto const* sequence = object == nullptr ? nullptr : object->if_contains("sequence");
  auto const* pair = object == nullptr ? nullptr : object->if_contains("pair");
  if (sequence == nullptr || pair == nullptr) {
    return error(Fault::unavailable, path_ + ": the last line is no audit event of ours");
  }
  place_ = {json::whole_number(*sequence).value_or(0), json::whole_number(*pair).value_or(0)};
  return {};
}

Result<> AuditExport::write_out(std::string const& lines) {
  std::string_view rest = lines;
  while (!rest.empty()) {
    auto const wrote = ::write(descriptor_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      auto const failure = system_error("cannot write", path_);
      // A part may be there: the file tells what.
      TRY(find_place());
      return failure;
    }
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fdatasync(descriptor_) != 0) return system_error("cannot write", path_);
  return {};
}

void AuditExport::count(store::OutboxRow const& row, std::int64_t events) const {
  if (metrics_ == nullptr || events <= 0) return;
  auto const event = json::parse(row.event);
  auto const* object = event ? event->if_object() : nullptr;
  auto const name = object == nullptr ? std::string_view() : text_in(*object, "name");
  metrics_->counter(ops::Metric::audit_events, {name}).add(static_cast<std::uint64_t>(events));
}

/// False when there were none.
Result<bool> AuditExport::number_new() {
  auto const any = TRY(database_.read_single(
      [](store::Connection& connection) { return store::Audit(connection).any_unnumbered(); }));
  if (any) {
    TRY(database_.write(
        [](store::Connection& connection) { return store::Audit(connection).number(); }));
  }
  return any;
}

Result<> AuditExport::export_pending() {
  if (reopen_.exchange(false)) TRY(open_file());
  for (;;) {
    // The row of the last line may be there still, with targets that were not written.
    auto const rows = TRY(database_.read_single([&](store::Connection& connection) {
      return store::Audit(connection)
          .after(std::max<std::int64_t>(0, place_.sequence - 1), kRowsPerPass);
    }));
    if (rows.empty()) {
      if (!TRY(number_new())) return {};
      continue;
    }
    std::string lines;
    auto place = place_;
    for (auto const& row : rows) {
      auto const first = row.sequence == place.sequence ? place.target + 1 : 0;
      auto const targets = TRY(json::parse(row.targets));
      auto const& array = targets.as_array();
      auto const events = std::max<std::int64_t>(1, std::ssize(array));
      for (auto i = first; i < events; ++i) {
        if (array.empty()) {
          append_line(lines, row, i, {}, {}, reason_);
        } else {
          auto const& target = array[static_cast<std::size_t>(i)].as_object();
          append_line(lines, row, i, text_in(target, "project_id"), text_in(target, "fault"),
                      reason_);
        }
      }
      this->count(row, events - first);
      place = {row.sequence, events - 1};
    }
    TRY(write_out(lines));
    place_ = place;
    TRY(database_.write([&](store::Connection& connection) {
      return store::Audit(connection).forget(place.sequence);
    }));
  }
}

} // namespace vitrine::jobs
