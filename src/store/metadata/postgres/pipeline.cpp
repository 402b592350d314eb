#include "store/metadata/postgres/pipeline.hpp"

#include "ops/log.hpp"
#include "store/metadata/postgres/values.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <optional>
#include <poll.h>
#include <utility>

namespace vitrine::store::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// Statements kept prepared per connection; dynamic lists have many shapes, so the cache has an end.
constexpr std::size_t kPreparedMax = 256;

std::string_view field_of(pg_result const* failed, int name) {
  auto const* field = PQresultErrorField(failed, name);
  return field == nullptr ? "" : field;
}

// Classes and codes of the manual's appendix "PostgreSQL Error Codes".
Trouble trouble_of(std::string_view code, std::string_view severity) {
  // The session is over, whatever the code. A COMMIT that met a full disk (PANIC, 53100) may be
  // found done when the server has recovered.
  if (severity == "FATAL" || severity == "PANIC") return Trouble::lost;
  if (code == "40001" || code == "40P01" || code == "55P03") return Trouble::overtaken;
  // No code: said by libpq itself. 25006: a standby; 25P03: our transaction was ended; 0A000: a
  // prepared statement is older than the table.
  if (code.empty() || code.starts_with("08") || code.starts_with("57P") || code == "25006" ||
      code == "25P03" || code == "0A000") {
    return Trouble::lost;
  }
  return Trouble::refused;
}

} // namespace

std::string_view first_line(char const* message) {
  std::string_view const text = message == nullptr ? "" : message;
  return text.substr(0, text.find('\n'));
}

void ClearResult::operator()(pg_result* result) const noexcept { PQclear(result); }

Pipeline::Pipeline(pg_conn* handle, bool prepares, std::chrono::milliseconds answer_max)
    : handle_(handle), prepares_(prepares), answer_max_(answer_max) {
  PQsetNoticeProcessor(handle_, [](void*, char const*) {}, nullptr);
  PQsetnonblocking(handle_, 1);
  PQenterPipelineMode(handle_);
}

Pipeline::~Pipeline() { PQfinish(handle_); }

void Pipeline::start() {
  in_exchange_ = true;
  deadline_ = Clock::now() + answer_max_;
  prelude_ = 0;
  sending_failed_ = false;
  preparing_.clear();
}

void Pipeline::send_ahead(char const* text) {
  send_plain(text);
  ++prelude_;
}

void Pipeline::send_plain(char const* text) {
  if (PQsendQueryParams(handle_, text, 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    sending_failed_ = true;
  }
}

Result<> Pipeline::send(std::string_view text, std::span<Param const> params) {
  if (has_nul(params)) {
    trouble_ = Trouble::refused;
    end_unread();
    in_exchange_ = false;
    return error(Fault::invalid_value, "A text holds a NUL character.");
  }
  Arguments const arguments(params);
  int sent = 0;
  if (prepares_) {
    sent = PQsendQueryPrepared(handle_, prepare(text), arguments.count(), arguments.values(),
                               arguments.lengths(), arguments.formats(), 0);
  } else {
    sent = PQsendQueryParams(handle_, std::string(text).c_str(), arguments.count(), nullptr,
                             arguments.values(), arguments.lengths(), arguments.formats(), 0);
  }
  if (sent == 0) sending_failed_ = true;
  return {};
}

char const* Pipeline::prepare(std::string_view text) {
  if (auto const known = prepared_.find(text); known != prepared_.end()) {
    return known->second.c_str();
  }
  if (prepared_.size() >= kPreparedMax) {
    prepared_.clear();
    send_ahead("DEALLOCATE ALL");
  }
  auto const& added =
      *prepared_.emplace(std::string(text), fmt::format("s{}", ++prepared_count_)).first;
  preparing_.push_back(added.first);
  if (PQsendPrepare(handle_, added.second.c_str(), added.first.c_str(), 0, nullptr) == 0) {
    sending_failed_ = true;
  }
  ++prelude_;
  return added.second.c_str();
}

void Pipeline::send_and_go_on(char const* text) {
  send_plain(text);
  end_unread();
}

void Pipeline::end_unread() {
  PQpipelineSync(handle_);
  ++unread_;
}

Result<> Pipeline::run_script(std::string const& script) {
  PQexitPipelineMode(handle_);
  OwnedResult const result(PQexec(handle_, script.c_str()));
  PQenterPipelineMode(handle_);
  if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) return fail("execute", result.get());
  return {};
}

Result<> Pipeline::finish(std::string_view name, OnResult const& on_result) {
  auto done = read_all(name, on_result);
  in_exchange_ = false;
  return done;
}

Result<> Pipeline::read_all(std::string_view name, OnResult const& on_result) {
  if (sending_failed_ || PQpipelineSync(handle_) == 0) {
    return lose(name, PQerrorMessage(handle_));
  }
  std::optional<Error> failed;
  int seen = 0;
  for (int exchanges = unread_ + 1; exchanges > 0;) {
    OwnedResult result(next_result());
    if (!result) return lose(name, PQerrorMessage(handle_));
    switch (PQresultStatus(result.get())) {
    case PGRES_PIPELINE_SYNC: --exchanges; break;
    case PGRES_PIPELINE_ABORTED: break; // after the one that failed
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      if (exchanges > 1) break; // of an earlier exchange
      if (seen++ >= prelude_ && on_result && !failed) on_result(result);
      break;
    default:
      if (exchanges > 1) break;
      if (!failed) failed = fail(name, result.get());
      if (trouble_ == Trouble::lost) return std::move(*failed);
    }
  }
  unread_ = 0;
  if (!failed) return {};
  // Whether it was prepared before it failed is not worth knowing.
  for (auto const& text : preparing_)
    prepared_.erase(text);
  return std::move(*failed);
}

/// The next result, nothing when the connection is lost.
pg_result* Pipeline::next_result() {
  // Between two statements libpq returns one null.
  for (int nulls = 0; nulls < 3; ++nulls) {
    if (!wait_for_server()) return nullptr;
    if (auto* result = PQgetResult(handle_)) return result;
  }
  return nullptr;
}

bool Pipeline::wait_for_server() {
  while (PQisBusy(handle_) != 0) {
    int const unsent = PQflush(handle_);
    if (unsent < 0) return false;
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) {
      silent_ = true;
      return false;
    }
    auto const events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd waiting{.fd = PQsocket(handle_), .events = events, .revents = 0};
    int const ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0 && (waiting.revents & ~POLLOUT) != 0 && PQconsumeInput(handle_) == 0) {
      return false;
    }
  }
  return true;
}

Error Pipeline::fail(std::string_view name, pg_result const* failed) {
  auto const code = field_of(failed, PG_DIAG_SQLSTATE);
  // The message alone: the detail may quote what was stored.
  auto const message = first_line(PQresultErrorField(failed, PG_DIAG_MESSAGE_PRIMARY));
  trouble_ = trouble_of(code, field_of(failed, PG_DIAG_SEVERITY_NONLOCALIZED));
  if (trouble_ == Trouble::lost) return lose(name, message);
  if (trouble_ == Trouble::overtaken) return error(Fault::unavailable);
  if (code.starts_with("23")) return error(Fault::conflict);
  ops::log_error("database.statement_failed",
                 {{"statement", name}, {"sqlstate", code}, {"detail", message}});
  if (code == "22021") return error(Fault::invalid_value, "A text is not valid UTF-8.");
  bool const may_pass = code.starts_with("53") || code == "57014"; // resources, a time limit
  return error(may_pass ? Fault::unavailable : Fault::internal);
}

Error Pipeline::lose(std::string_view name, std::string_view reason) {
  trouble_ = Trouble::lost;
  ops::log_warning("database.connection_lost",
                   {{"statement", name}, {"detail", reason.substr(0, reason.find('\n'))}});
  return error(Fault::unavailable);
}

} // namespace vitrine::store::postgres
