#include "store/metadata/postgres/postgres_connection.hpp"

#include "ops/log.hpp"
#include "store/metadata/postgres/conninfo.hpp"
#include "store/metadata/postgres/wide_insert.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <utility>

namespace vitrine::store::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// Statements kept prepared per connection; dynamic lists have many shapes, so the cache has an end.
constexpr std::size_t kPreparedMax = 256;
// Rows of a batch that go out before their results are read: few enough for the results to wait in
// the buffers of the sockets.
constexpr std::size_t kBatchRows = 1024;
// Rows that one INSERT takes at once.
constexpr std::size_t kWideRows = 64;
// A server that does not answer for this long is taken for lost.
constexpr std::chrono::seconds kAnswerMax{30};
constexpr int kServerVersionMin = 140'000;

// A transaction that waits for nothing but its client must not hold its locks for ever.
constexpr char const* kSessionLimits =
    "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'";

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using OwnedResult = std::unique_ptr<PGresult, Clear>;

class PostgresRow final : public Row {
public:
  PostgresRow(PGresult* result, int row) : result_(result), row_(row) {}

  [[nodiscard]] bool is_null(int column) const override {
    return PQgetisnull(result_, row_, column) != 0;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    std::int64_t value = 0;
    auto const digits = text(column);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  [[nodiscard]] std::string_view text(int column) const override {
    return {PQgetvalue(result_, row_, column),
            static_cast<std::size_t>(PQgetlength(result_, row_, column))};
  }

private:
  PGresult* result_;
  int row_;
};

// Parameters as libpq takes them: texts as they lie, numbers as digits. Their types are left to the
// server, which knows the columns they are compared with.
class Arguments {
public:
  explicit Arguments(std::span<Param const> params) : digits_(params.size()) {
    for (std::size_t i = 0; i < params.size(); ++i)
      add(params[i], digits_[i]);
  }

  [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
  [[nodiscard]] char const* const* values() const { return values_.data(); }
  [[nodiscard]] int const* lengths() const { return lengths_.data(); }
  [[nodiscard]] int const* formats() const { return formats_.data(); }

private:
  using Digits = std::array<char, 24>;

  void add(Param const& param, Digits& digits) {
    switch (param.type()) {
    case Param::Type::null: return add(nullptr, 0, 0);
    case Param::Type::integer:
      *std::to_chars(digits.data(), digits.data() + digits.size() - 1, param.integer()).ptr = '\0';
      return add(digits.data(), 0, 0);
    case Param::Type::text: break;
    }
    auto const text = param.text();
    add(text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()), 1);
  }
  void add(char const* value, int length, int format) {
    values_.push_back(value);
    lengths_.push_back(length);
    formats_.push_back(format);
  }

  std::vector<Digits> digits_;
  std::vector<char const*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

bool has_nul(std::span<Param const> params) {
  for (auto const& param : params) {
    if (param.type() == Param::Type::text && param.text().contains('\0')) return true;
  }
  return false;
}

std::string_view text_for_us(sql::Statement const& statement) {
  return statement.postgres.empty() ? statement.text : statement.postgres;
}

std::string_view first_line(char const* message) {
  std::string_view const text = message == nullptr ? "" : message;
  return text.substr(0, text.find('\n'));
}

std::int64_t changed_rows(PGresult* result) {
  std::int64_t changed = 0;
  std::string_view const digits = PQcmdTuples(result);
  std::from_chars(digits.data(), digits.data() + digits.size(), changed);
  return changed;
}

// Classes and codes of the manual's appendix "PostgreSQL Error Codes".
Trouble trouble_of(std::string_view code) {
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

Result<std::unique_ptr<PostgresConnection>>
PostgresConnection::open(ConnectionOptions const& options) {
  auto const conninfo = TRY(Conninfo::parse(options));
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(conninfo.connect(), options.prepared_statements));
  auto* handle = connection->handle_;
  if (PQstatus(handle) != CONNECTION_OK) {
    return error(Fault::unavailable, fmt::format("cannot connect to the database: {}",
                                                 first_line(PQerrorMessage(handle))));
  }
  if (PQserverVersion(handle) < kServerVersionMin) {
    return error(Fault::unavailable, "the database is older than PostgreSQL 14");
  }
  auto const* encoding = PQparameterStatus(handle, "server_encoding");
  if (encoding != nullptr && std::string_view(encoding) != "UTF8") {
    return error(Fault::unavailable, "the encoding of the database is not UTF8");
  }
  // Behind a pooler of transactions a setting of ours would stay with whoever comes next.
  if (options.prepared_statements) TRY(connection->execute(kSessionLimits));
  return connection;
}

PostgresConnection::PostgresConnection(pg_conn* handle, bool prepares)
    : handle_(handle), prepares_(prepares) {
  PQsetNoticeProcessor(handle_, [](void*, char const*) {}, nullptr);
  PQsetnonblocking(handle_, 1);
  PQenterPipelineMode(handle_);
}

PostgresConnection::~PostgresConnection() { PQfinish(handle_); }

void PostgresConnection::begin(std::span<char const* const> opening) {
  opening_ = opening;
  open_ = false;
  trouble_ = Trouble::none;
}

Result<std::int64_t> PostgresConnection::run(sql::Statement const& statement,
                                             std::span<Param const> params, Each const& each) {
  std::int64_t changed = 0;
  start();
  TRY(send(statement, params));
  TRY(finish(statement.name, [&](PGresult* result) {
    changed = changed_rows(result);
    if (!each) return;
    for (int i = 0; i < PQntuples(result); ++i)
      each(PostgresRow(result, i));
  }));
  return changed;
}

Result<std::int64_t> PostgresConnection::run_each(sql::Statement const& statement,
                                                  std::span<Params const> rows) {
  std::int64_t changed = 0;
  while (!rows.empty()) {
    auto const batch = rows.first(std::min(rows.size(), kBatchRows));
    start();
    TRY(send_each(statement, batch));
    TRY(finish(statement.name, [&](PGresult* result) { changed += changed_rows(result); }));
    rows = rows.subspan(batch.size());
  }
  return changed;
}

Result<> PostgresConnection::send_each(sql::Statement const& statement,
                                       std::span<Params const> rows) {
  if (rows.size() >= kWideRows) {
    auto const& wide = wide_text(statement, rows.front().size());
    if (prepares_ && !wide.empty()) {
      // Now, since what is prepared stands ahead of what is run.
      prepare(wide);
      if (rows.size() % kWideRows != 0) prepare(text_for_us(statement));
    }
    Params params;
    for (; !wide.empty() && rows.size() >= kWideRows; rows = rows.subspan(kWideRows)) {
      params.clear();
      for (auto const& row : rows.first(kWideRows))
        params.insert(params.end(), row.begin(), row.end());
      TRY(send({statement.name, wide}, params));
    }
  }
  for (auto const& row : rows)
    TRY(send(statement, row));
  return {};
}

/// Empty when the statement cannot take many rows at once.
std::string const& PostgresConnection::wide_text(sql::Statement const& statement,
                                                 std::size_t params) {
  auto const text = text_for_us(statement);
  auto const known = wide_texts_.find(text);
  if (known != wide_texts_.end()) return known->second;
  return wide_texts_.emplace(std::string(text), widen(text, params, kWideRows)).first->second;
}

Result<> PostgresConnection::commit() {
  if (!open_) return {};
  bool committed = false;
  start();
  send_plain("COMMIT");
  // The end of a void transaction is answered without an error, but not with this word.
  TRY(finish("commit", [&](PGresult* result) {
    committed = std::string_view(PQcmdStatus(result)) == "COMMIT";
  }));
  open_ = false;
  if (committed) return {};
  trouble_ = Trouble::refused;
  return error(Fault::internal);
}

void PostgresConnection::roll_back() {
  if (!std::exchange(open_, false) || trouble_ == Trouble::lost) return;
  send_plain("ROLLBACK");
  PQpipelineSync(handle_);
  ++unread_;
}

Result<> PostgresConnection::execute(std::string const& script) {
  start();
  TRY(finish("execute", {}));
  PQexitPipelineMode(handle_);
  OwnedResult const result(PQexec(handle_, script.c_str()));
  PQenterPipelineMode(handle_);
  if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) return fail("execute", result.get());
  return {};
}

void PostgresConnection::start() {
  deadline_ = Clock::now() + kAnswerMax;
  prelude_ = 0;
  sending_failed_ = false;
  preparing_.clear();
  if (open_) return;
  for (auto const* text : opening_) {
    open_ = true;
    send_plain(text);
    ++prelude_;
  }
}

void PostgresConnection::send_plain(char const* text) {
  if (PQsendQueryParams(handle_, text, 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    sending_failed_ = true;
  }
}

Result<> PostgresConnection::send(sql::Statement const& statement, std::span<Param const> params) {
  auto const text = text_for_us(statement);
  if (has_nul(params)) {
    trouble_ = Trouble::refused;
    PQpipelineSync(handle_);
    ++unread_;
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

/// The name of a prepared statement; prepares it in the same exchange when it is new.
char const* PostgresConnection::prepare(std::string_view text) {
  if (auto const known = prepared_.find(text); known != prepared_.end()) {
    return known->second.c_str();
  }
  if (prepared_.size() >= kPreparedMax) {
    prepared_.clear();
    send_plain("DEALLOCATE ALL");
    ++prelude_;
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

/// Reads everything that is still to come, and gives the results of the caller's statements of this
/// exchange to `on_result`.
Result<> PostgresConnection::finish(std::string_view name, OnResult const& on_result) {
  if (sending_failed_ || PQpipelineSync(handle_) == 0) {
    return lose(name, PQerrorMessage(handle_));
  }
  std::optional<Error> failed;
  int seen = 0;
  for (int exchanges = unread_ + 1; exchanges > 0;) {
    OwnedResult const result(next_result());
    if (!result) return lose(name, PQerrorMessage(handle_));
    switch (PQresultStatus(result.get())) {
    case PGRES_PIPELINE_SYNC: --exchanges; break;
    case PGRES_PIPELINE_ABORTED: break; // after the one that failed
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      if (exchanges > 1) break; // of an earlier exchange
      if (seen++ >= prelude_ && on_result && !failed) on_result(result.get());
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
pg_result* PostgresConnection::next_result() {
  // Between two statements libpq returns one null.
  for (int nulls = 0; nulls < 3; ++nulls) {
    if (!wait_for_server()) return nullptr;
    if (auto* result = PQgetResult(handle_)) return result;
  }
  return nullptr;
}

bool PostgresConnection::wait_for_server() {
  while (PQisBusy(handle_) != 0) {
    int const unsent = PQflush(handle_);
    if (unsent < 0) return false;
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
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

Error PostgresConnection::fail(std::string_view name, pg_result const* failed) {
  auto const* field = PQresultErrorField(failed, PG_DIAG_SQLSTATE);
  std::string_view const code = field == nullptr ? "" : field;
  // The message alone: the detail may quote what was stored.
  auto const message = first_line(PQresultErrorField(failed, PG_DIAG_MESSAGE_PRIMARY));
  trouble_ = trouble_of(code);
  if (trouble_ == Trouble::lost) return lose(name, message);
  if (trouble_ == Trouble::overtaken) return error(Fault::unavailable);
  if (code.starts_with("23")) return error(Fault::conflict);
  ops::log_error("database.statement_failed",
                 {{"statement", name}, {"sqlstate", code}, {"detail", message}});
  if (code == "22021") return error(Fault::invalid_value, "A text is not valid UTF-8.");
  bool const may_pass = code.starts_with("53") || code == "57014"; // resources, a time limit
  return error(may_pass ? Fault::unavailable : Fault::internal);
}

Error PostgresConnection::lose(std::string_view name, std::string_view reason) {
  trouble_ = Trouble::lost;
  ops::log_warning("database.connection_lost",
                   {{"statement", name}, {"detail", reason.substr(0, reason.find('\n'))}});
  return error(Fault::unavailable);
}

} // namespace vitrine::store::postgres
