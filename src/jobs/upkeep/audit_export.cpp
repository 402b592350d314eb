#include "jobs/upkeep/audit_export.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vitrine::jobs {
namespace {

// A row may stand for 256 pairs: this many rows make a few megabytes of lines at most.
constexpr std::int64_t kRowsPerPass = 16;
// Longer than any line: a caller's names are bounded, a detail too.
constexpr off_t kTailBytes = 1 << 20;
constexpr std::size_t kRowIdLength = 32;
// A server that is silent for so long leaves its rows to the others. Long, since a row that it had
// written but not forgotten then comes out twice.
constexpr std::int64_t kClaim_us = 600 * kMicrosecondsPerSecond;

Error system_error(std::string_view what, std::string const& path) {
  auto const fault = errno == ENOSPC || errno == EDQUOT ? Fault::store_full : Fault::unavailable;
  return error(fault, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

std::string_view text_in(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  auto const* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : json::view(*text);
}

struct Tail {
  off_t from; ///< of its text in the file
  std::string text;
};

Result<Tail> read_tail(int descriptor, std::string const& path) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return system_error("cannot read", path);
  Tail tail{.from = std::max<off_t>(0, status.st_size - kTailBytes), .text = {}};
  tail.text.resize(static_cast<std::size_t>(status.st_size - tail.from));
  std::size_t have = 0;
  while (have < tail.text.size()) {
    auto const got = ::pread(descriptor, tail.text.data() + have, tail.text.size() - have,
                             tail.from + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error("cannot read", path);
    have += static_cast<std::size_t>(got);
  }
  return tail;
}

/// True when the text may be a line of ours, whole or cut anywhere: what `append_line` writes
/// first.
bool begins_as_event(std::string_view text) {
  auto const take = [&text](std::string_view expected) {
    auto const length = std::min(text.size(), expected.size());
    bool const same = text.substr(0, length) == expected.substr(0, length);
    text.remove_prefix(length);
    return same;
  };
  if (!take(R"({"id":")")) return false;
  auto const row = text.substr(0, kRowIdLength);
  if (row.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  text.remove_prefix(row.size());
  if (!take("-")) return false;
  text.remove_prefix(std::min(text.size(), text.find_first_not_of("0123456789")));
  return take(R"(","outcome":")");
}

bool is_of_job(store::OutboxRow const& row) {
  auto const event = json::parse(row.event);
  auto const* object = event ? event->if_object() : nullptr;
  return object != nullptr && !text_in(*object, "job_id").empty();
}

// The stored event is an object; a line is the same object with more members. `target` holds what
// tells the event from the others of its row.
void append_line(std::string& out, store::OutboxRow const& row, std::int64_t number,
                 json::Object const& target, AuditExport::Options const& options) {
  auto const project = text_in(target, "project_id");
  auto const fault = text_in(target, "fault");
  auto const outcome = text_in(target, "outcome");
  fmt::format_to(std::back_inserter(out), R"({{"id":"{}-{}",)", row.id, number);
  if (fault.empty()) {
    fmt::format_to(std::back_inserter(out), R"("outcome":"{}",)",
                   outcome.empty() ? "success" : outcome);
  } else {
    auto const why = options.reason(fault_named(fault), !project.empty() || is_of_job(row));
    fmt::format_to(std::back_inserter(out),
                   R"("outcome":"failure","reason":{{"reasonType":"HTTP","reasonCode":"{}",)"
                   R"("policyType":"IMS","policyId":"{}"}},)",
                   why.status, why.code);
  }
  if (!project.empty()) {
    out += R"("member":)";
    json::append_string(out, project);
    out += ',';
  }
  out += R"("observer":{"id":)";
  json::append_string(out, options.holder);
  out += R"(,"typeURI":"service/storage/image"},)";
  out.append(row.event, 1);
  out += '\n';
}

} // namespace

AuditExport::AuditExport(store::Database& database, Clock const& clock, Options options)
    : database_(database), clock_(clock), options_(std::move(options)) {}

AuditExport::~AuditExport() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<AuditExport>> AuditExport::open(store::Database& database,
                                                       Clock const& clock, Options options) {
  std::unique_ptr<AuditExport> opened(new AuditExport(database, clock, std::move(options)));
  TRY(opened->open_file());
  TRY(opened->find_place());
  return opened;
}

Result<> AuditExport::open_file() {
  int const opened = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (opened < 0) return system_error("cannot open", options_.path);
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = opened;
  return {};
}

/// Of whole lines; nothing when the last one is none of ours.
std::optional<AuditExport::Place> AuditExport::place_of_last(std::string_view lines) {
  if (lines.empty()) return std::nullopt;
  auto const end = lines.size() - 1;
  auto const before = end == 0 ? std::string_view::npos : lines.rfind('\n', end - 1);
  auto const begin = before == std::string_view::npos ? 0 : before + 1;
  auto const text = lines.substr(begin, end - begin);
  if (!begins_as_event(text)) return std::nullopt;
  auto const line = json::parse(text);
  auto const* object = line ? line->if_object() : nullptr;
  auto const id = object == nullptr ? std::string_view() : text_in(*object, "id");
  auto const dash = id.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto const target = text::parse_int(id.substr(dash + 1));
  if (!target) return std::nullopt;
  return Place{std::string(id.substr(0, dash)), *target};
}

Result<AuditExport::End> AuditExport::read_end(int descriptor, std::string const& path) {
  auto const tail = TRY(read_tail(descriptor, path));
  std::string_view const text = tail.text;
  auto const whole = text.rfind('\n') + 1; // 0 without one
  auto place = place_of_last(text.substr(0, whole));
  bool const is_first_line = tail.from == 0 && whole == 0 && begins_as_event(text);
  if (!place && !is_first_line) {
    return error(Fault::unavailable,
                 path + ": it does not end in an audit event of ours; nothing was changed");
  }
  return End{.whole_bytes = tail.from + static_cast<off_t>(whole),
             .is_cut = whole < text.size(),
             .place = std::move(place)};
}

/// Nothing of the file is changed before it is known to be a trail.
Result<> AuditExport::find_place() {
  auto end = TRY(read_end(descriptor_, options_.path));
  if (end.is_cut && ::ftruncate(descriptor_, end.whole_bytes) != 0) {
    return system_error("cannot cut", options_.path);
  }
  if (end.place) place_ = std::move(*end.place);
  return {};
}

Result<> AuditExport::check(std::string const& path) {
  int const descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return {};
  if (descriptor < 0) return system_error("cannot open", path);
  auto const end = read_end(descriptor, path);
  ::close(descriptor);
  TRY(end);
  return {};
}

Result<> AuditExport::write_out(std::string const& lines) {
  std::string_view rest = lines;
  while (!rest.empty()) {
    auto const wrote = ::write(descriptor_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      auto const failure = system_error("cannot write", options_.path);
      // A part may be there: the file tells what.
      TRY(find_place());
      return failure;
    }
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fdatasync(descriptor_) != 0) return system_error("cannot write", options_.path);
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
Result<bool> AuditExport::claim_new() {
  auto const now = clock_.now();
  auto const any = TRY(database_.read_single([&](store::Connection& connection) {
    return store::Audit(connection).any_unclaimed(options_.holder, now);
  }));
  if (any) {
    TRY(database_.write([&](store::Connection& connection) {
      return store::Audit(connection).claim(options_.holder, now, now + kClaim_us);
    }));
  }
  return any;
}

/// Appends the lines of a row's events from the `first` on; returns how many events it has.
Result<std::int64_t> AuditExport::append_lines(std::string& out, store::OutboxRow const& row,
                                               std::int64_t first) const {
  auto const targets = TRY(json::parse(row.targets));
  auto const& array = targets.as_array();
  if (array.empty()) {
    if (first == 0) append_line(out, row, 0, {}, options_);
    return 1;
  }
  for (auto i = first; i < std::ssize(array); ++i) {
    append_line(out, row, i, array[static_cast<std::size_t>(i)].as_object(), options_);
  }
  return std::ssize(array);
}

/// False when nothing is pending.
Result<bool> AuditExport::export_some() {
  auto const rows = TRY(database_.read_single([&](store::Connection& connection) {
    return store::Audit(connection).claimed(options_.holder, kRowsPerPass);
  }));
  if (rows.empty()) return claim_new();
  // Rows are written in order and forgotten together: those before that of the last line are in the
  // file, if that one is still here.
  auto const last = std::ranges::find(rows, place_.row, &store::OutboxRow::id);
  bool written = last != rows.end();
  std::string lines;
  auto place = place_;
  for (auto const& row : rows) {
    if (written && row.id != place_.row) continue;
    auto const first = written ? place_.target + 1 : 0;
    written = false;
    auto const events = TRY(append_lines(lines, row, first));
    this->count(row, events - first);
    place = {row.id, events - 1};
  }
  TRY(write_out(lines));
  place_ = place;
  TRY(database_.write(
      [&](store::Connection& connection) { return store::Audit(connection).forget(rows); }));
  return true;
}

Result<> AuditExport::reopen_if_asked() {
  if (!reopen_.exchange(false)) return {};
  auto opened = open_file();
  if (!opened) reopen_ = true;
  return opened;
}

Result<> AuditExport::export_pending() {
  auto const reopened = reopen_if_asked();
  while (TRY(export_some())) {
    if (std::chrono::steady_clock::now() >= end_by_.load()) break;
  }
  return reopened;
}

} // namespace vitrine::jobs
