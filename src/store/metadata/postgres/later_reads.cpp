#include "store/metadata/postgres/later_reads.hpp"

#include "ops/log.hpp"
#include "store/metadata/guarded.hpp"
#include "store/metadata/postgres/values.hpp"
#include "store/metadata/postgres/wide_read.hpp"

#include <algorithm>
#include <exception>
#include <libpq-fe.h>
#include <pthread.h>
#include <string>
#include <tuple>
#include <utility>

namespace vitrine::store::postgres {
namespace {

// Questions that go out together.
constexpr std::size_t kTogetherMax = 64;
// Beyond this many, those who ask had better wait where they can be refused.
constexpr std::size_t kWaitingMax = 4096;
// Behind a server that is silent for so long nobody else queues: other connections may be better.
constexpr std::chrono::milliseconds kSilenceMax{250};
// Between two attempts to tell somebody, while memory is short.
constexpr std::chrono::milliseconds kPauseMin{1};
constexpr std::chrono::milliseconds kPauseMax{1000};

/// What a statement is asked with, kept beyond the call.
class Question {
public:
  Question(sql::Statement const& statement, std::span<Param const> params)
      : name_(statement.name), text_(text_for_us(statement)) {
    texts_.reserve(params.size()); // so that no text moves
    for (auto const& param : params) {
      bool const is_text = param.type() == Param::Type::text;
      params_.push_back(is_text ? Param(texts_.emplace_back(param.text())) : param);
    }
  }

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] std::string const& text() const noexcept { return text_; }
  [[nodiscard]] std::span<Param const> params() const noexcept { return params_; }

private:
  std::string const name_;
  std::string const text_; ///< that of a page is put together for the call
  std::vector<std::string> texts_;
  Params params_;
};

bool can_be_widened(std::span<Param const> params) {
  return !has_nul(params) && std::ranges::none_of(params, [](Param const& param) {
    return param.type() == Param::Type::null;
  });
}

/// Learns what a unit of work asks, and answers nothing.
class Listener final : public Connection {
public:
  Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                           Each const& /*each*/) override {
    if (can_be_widened(params)) question_ = std::make_unique<Question>(statement, params);
    return error(Fault::unavailable);
  }
  [[nodiscard]] Dialect const& dialect() const noexcept override { return kPostgresDialect; }

  std::unique_ptr<Question> take() { return std::move(question_); }

private:
  std::unique_ptr<Question> question_;
};

/// Gives the rows that were found to a unit of work that asks for them.
class Teller final : public Connection {
public:
  /// Of a widened statement, the rows for the question of that place, from 1; 0: all rows.
  Teller(PGresult* found, std::int64_t place) : found_(found), place_(place) {}

  Result<std::int64_t> run(sql::Statement const& /*statement*/, std::span<Param const> /*params*/,
                           Each const& each) override {
    if (std::exchange(has_told_, true)) return error(Fault::unavailable);
    std::int64_t count = 0;
    auto const last = PQnfields(found_) - 1;
    for (int i = 0; i < PQntuples(found_); ++i) {
      PostgresRow const row(found_, i);
      if (place_ != 0 && row.integer(last) != place_) continue;
      ++count;
      if (each) each(row);
    }
    return count;
  }
  [[nodiscard]] Dialect const& dialect() const noexcept override { return kPostgresDialect; }

private:
  PGresult* found_;
  std::int64_t const place_;
  bool has_told_{false};
};

void log_thrown(char const* what) noexcept {
  try {
    ops::log_error("database.read_threw", {{"detail", what}});
  } catch (...) { // memory is short: whoever asked is told all the same
  }
}

/// Runs it; false, told in the log, when it throws.
template <class Work>
bool runs(Work const& work) noexcept {
  try {
    work();
    return true;
  } catch (std::exception const& thrown) {
    log_thrown(thrown.what());
  } catch (...) {
    log_thrown("unknown exception");
  }
  return false;
}

} // namespace

struct LaterReads::Read {
  std::unique_ptr<Question> question;
  Work work;
  Done done;

  /// One that cannot take what was found, for want of memory, takes an outage. Nobody else would
  /// tell it, so it is told until there is memory.
  void tell(Result<> const& outcome) const noexcept {
    if (runs([&] { done(outcome); })) return;
    auto pause = kPauseMin;
    while (!runs([&] { done(error(Fault::unavailable)); })) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, kPauseMax);
    }
  }

  /// Runs the unit on the rows that were found for it, see Teller. One that throws may be run again
  /// by those who wait: they tell a bug.
  void answer(PGresult* found, std::int64_t place) const noexcept {
    Result<> outcome = error(Fault::unavailable);
    Teller teller(found, place);
    runs([&] { outcome = work(teller); });
    tell(outcome);
  }
};

LaterReads::LaterReads(PostgresPool& pool, LaterRead what) : pool_(pool), what_(what) {
  taken_.reserve(kTogetherMax);
}

LaterReads::~LaterReads() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (auto const& read : waiting_)
    read->tell(error(Fault::unavailable));
}

bool LaterReads::ask(Work work, Done done) {
  Listener listener;
  auto const unanswered = run_guarded(work, listener);
  auto question = listener.take();
  if (unanswered || !question) return false;
  auto read = std::make_unique<Read>(Read{std::move(question), std::move(work), std::move(done)});
  {
    std::lock_guard const lock(mutex_);
    bool const is_silent =
        began_ != kNever && std::chrono::steady_clock::now() - began_ > kSilenceMax;
    if (is_silent || waiting_.size() >= kWaitingMax) return false;
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { run(); });
      pthread_setname_np(thread_.native_handle(), "reads");
    }
    waiting_.push_back(std::move(read));
  }
  asked_.notify_one();
  return true;
}

void LaterReads::run() {
  while (true) {
    take_next();
    if (taken_.empty()) return;
    answer(taken_);
  }
}

/// Those that ask the same as the first one; none when it is time to stop.
void LaterReads::take_next() {
  taken_.clear();
  std::unique_lock lock(mutex_);
  began_ = kNever;
  asked_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return;
  do {
    taken_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  } while (!waiting_.empty() && taken_.size() < kTogetherMax &&
           waiting_.front()->question->text() == taken_.front()->question->text());
  began_ = std::chrono::steady_clock::now();
}

void LaterReads::answer(std::span<std::unique_ptr<Read> const> reads) {
  if (what_ == LaterRead::row) {
    answer_at_once(reads);
  } else {
    answer_in_turn(reads);
  }
}

void LaterReads::answer_in_turn(std::span<std::unique_ptr<Read> const> reads) {
  auto left = reads;
  runs([&] {
    auto const loan = pool_.lend_idle();
    if (!loan) return;
    auto const& first = *reads.front()->question;
    // What fails is in the log, and those that are left get no answer.
    std::ignore =
        (*loan)->fetch_each(first.name(), first.text(), params_of(reads), [&](OwnedResult& found) {
          auto const& read = *left.front();
          left = left.subspan(1);
          read.answer(found.get(), 0);
        });
  });
  for (auto const& read : left)
    read->tell(error(Fault::unavailable));
}

void LaterReads::answer_at_once(std::span<std::unique_ptr<Read> const> reads) {
  auto const found = fetch_guarded(reads);
  bool const wide = reads.size() > 1;
  std::int64_t place = 0;
  for (auto const& read : reads) {
    if (wide) ++place;
    if (found) {
      read->answer(found->get(), place);
    } else {
      read->tell(error(Fault::unavailable));
    }
  }
}

std::vector<std::span<Param const>>
LaterReads::params_of(std::span<std::unique_ptr<Read> const> reads) {
  std::vector<std::span<Param const>> rows;
  for (auto const& read : reads)
    rows.push_back(read->question->params());
  return rows;
}

Result<OwnedResult> LaterReads::fetch_guarded(std::span<std::unique_ptr<Read> const> reads) {
  Result<OwnedResult> found = error(Fault::unavailable);
  runs([&] { found = fetch(reads); });
  return found;
}

Result<OwnedResult> LaterReads::fetch(std::span<std::unique_ptr<Read> const> reads) {
  auto const loan = pool_.lend_idle();
  if (!loan) return error(Fault::unavailable);
  auto const& first = *reads.front()->question;
  if (reads.size() == 1) return (*loan)->fetch(first.name(), first.text(), first.params());
  auto const rows = params_of(reads);
  std::vector<std::string> arrays;
  for (std::size_t column = 0; column < first.params().size(); ++column)
    arrays.push_back(array_of(rows, column));
  Params const params(arrays.begin(), arrays.end());
  return (*loan)->fetch(first.name(), widen_read(first.text(), first.params()), params);
}

} // namespace vitrine::store::postgres
