#include "store/metadata/sqlite/sqlite_database.hpp"

#include "store/metadata/guarded.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <semaphore.h>
#include <unistd.h>
#include <utility>

namespace vitrine::store::sqlite {
namespace {

// Units of work that share one commit at most; bounds how long the first of them waits.
constexpr std::size_t kGroupMax = 128;

constexpr sql::Statement kBegin{"begin", "BEGIN"};
constexpr sql::Statement kBeginWrite{"begin_write", "BEGIN IMMEDIATE"};
constexpr sql::Statement kCommit{"commit", "COMMIT"};
constexpr sql::Statement kRollback{"rollback", "ROLLBACK"};
constexpr sql::Statement kSavepoint{"savepoint", "SAVEPOINT unit"};
constexpr sql::Statement kRollbackUnit{"rollback_unit", "ROLLBACK TO unit"};
constexpr sql::Statement kReleaseUnit{"release_unit", "RELEASE unit"};

// Sleeps at once where std::binary_semaphore first gives its turn away several times.
class Signal {
public:
  Signal() { ::sem_init(&semaphore_, 0, 0); }
  ~Signal() { ::sem_destroy(&semaphore_); }
  Signal(Signal const&) = delete;
  Signal& operator=(Signal const&) = delete;

  void raise() { ::sem_post(&semaphore_); }
  void wait() {
    while (::sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
  }

private:
  sem_t semaphore_{};
};

// The operator reads this; what SQLite says has gone to standard error.
Error no_database(std::string const& path, Error failure) {
  if (failure.fault != Fault::internal) return failure;
  if (::access(path.c_str(), R_OK | W_OK) != 0) {
    return error(Fault::unavailable, "cannot open " + path + ": " + std::strerror(errno));
  }
  return error(Fault::unavailable, path + " is no usable database");
}

/// What the others of a group are told when the failure of one unit has ended the transaction.
Error ended_by(Result<> const& failed) {
  auto const& why = failed.error();
  return why.kind() == Kind::unavailable ? Error(why) : error(Fault::unavailable);
}

} // namespace

struct SqliteDatabase::Pending {
  Work const& work;
  // Shared with the waiting thread, which may be gone before it is woken to the end.
  std::shared_ptr<Signal> done;
  std::optional<Result<>> result;
};

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(std::string path) {
  auto writer = SqliteConnection::open(path, Access::read_write);
  if (!writer) return no_database(path, writer.error());
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(std::move(path), std::move(*writer)));
  if (auto const migrated = database->migrate(); !migrated) {
    return no_database(database->path_, migrated.error());
  }
  database->log_ = ::open((database->path_ + "-wal").c_str(), O_RDONLY | O_CLOEXEC);
  if (database->log_ < 0) {
    return error(Fault::unavailable,
                 "cannot open the log of " + database->path_ + ": " + std::strerror(errno));
  }
  database->sync_thread_ = std::thread([raw = database.get()] { raw->sync_loop(); });
  database->writer_thread_ = std::thread([raw = database.get()] { raw->write_loop(); });
  return database;
}

SqliteDatabase::SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer)
    : path_(std::move(path)), writer_(std::move(writer)) {}

SqliteDatabase::~SqliteDatabase() {
  {
    std::lock_guard const lock(queue_mutex_);
    stopping_ = true;
  }
  queue_filled_.notify_one();
  if (writer_thread_.joinable()) writer_thread_.join();
  {
    std::lock_guard const lock(committed_mutex_);
    writer_ended_ = true;
  }
  committed_filled_.notify_one();
  if (sync_thread_.joinable()) sync_thread_.join();
  if (log_ >= 0) ::close(log_);
}

Result<> SqliteDatabase::migrate() {
  TRY(writer_->execute("CREATE TABLE IF NOT EXISTS migrations ("
                       "number INTEGER PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID"));
  static constexpr sql::Statement applied{"applied_migrations",
                                          "SELECT COALESCE(MAX(number), 0) FROM migrations"};
  static constexpr sql::Statement record{"record_migration",
                                         "INSERT INTO migrations (number, name) VALUES ($1, $2)"};
  std::int64_t have = 0;
  TRY(writer_->run(applied, {}, [&](Row const& row) { have = row.integer(0); }));
  std::int64_t newest = 0;
  for (auto const& migration : sql::migrations()) {
    if (!migration.engine.empty() && migration.engine != "sqlite") continue;
    newest = std::max<std::int64_t>(newest, migration.number);
    if (migration.number <= have) continue;
    TRY(writer_->execute("BEGIN IMMEDIATE"));
    TRY(writer_->execute(std::string(migration.text)));
    TRY(writer_->run(record, {migration.number, migration.name}));
    TRY(writer_->execute("COMMIT"));
  }
  if (have > newest) {
    return error(Fault::unavailable, path_ + " was written by a newer release of vitrine");
  }
  return {};
}

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::borrow_reader() {
  {
    std::lock_guard const lock(readers_mutex_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return SqliteConnection::open(path_, Access::read_only);
}

Result<> SqliteDatabase::do_read(Work const& work) {
  auto reader = TRY(borrow_reader());
  TRY(reader->run(kBegin, {}));
  auto result = work(*reader);
  auto const ended = reader->run(kCommit, {});
  // A reader whose snapshot did not end is thrown away instead of being reused.
  if (ended) {
    std::lock_guard const lock(readers_mutex_);
    readers_.push_back(std::move(reader));
  }
  return result;
}

Result<> SqliteDatabase::do_write(Work const& work) {
  thread_local auto const done = std::make_shared<Signal>();
  Pending pending{.work = work, .done = done, .result = {}};
  {
    std::lock_guard const lock(queue_mutex_);
    if (stopping_) return error(Fault::unavailable, "the server is stopping");
    queue_.push_back(&pending);
  }
  queue_filled_.notify_one();
  done->wait();
  return std::move(*pending.result);
}

Result<> SqliteDatabase::do_read_anew(Work const& work) {
  auto const reader = TRY(SqliteConnection::open(path_, Access::read_only));
  return work(*reader);
}

void SqliteDatabase::write_loop() {
  Group group;
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      queue_filled_.wait(lock, [&] { return !queue_.empty() || stopping_; });
      if (queue_.empty()) return;
      auto const count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kGroupMax));
      group.assign(queue_.begin(), queue_.begin() + count);
      queue_.erase(queue_.begin(), queue_.begin() + count);
    }
    commit_group(group);
    {
      std::lock_guard const lock(committed_mutex_);
      committed_.insert(committed_.end(), group.begin(), group.end());
    }
    committed_filled_.notify_one();
  }
}

// Each unit runs under a savepoint, so that a failed one takes nothing of its neighbours along.
void SqliteDatabase::commit_group(Group const& group) {
  auto outcome = [&]() -> Result<> {
    TRY(writer_->run(kBeginWrite, {}));
    for (auto* pending : group) {
      TRY(writer_->run(kSavepoint, {}));
      pending->result.emplace(run_guarded(pending->work, *writer_));
      if (!*pending->result && !writer_->in_transaction()) return ended_by(*pending->result);
      if (!*pending->result) TRY(writer_->run(kRollbackUnit, {}));
      TRY(writer_->run(kReleaseUnit, {}));
    }
    TRY(writer_->run(kCommit, {}));
    return {};
  }();
  if (!outcome) {
    // Nothing of the group is stored.
    if (writer_->in_transaction()) {
      [[maybe_unused]] auto const rolled = writer_->run(kRollback, {});
    }
    for (auto* pending : group) {
      if (!pending->result || *pending->result) pending->result.emplace(Error(outcome.error()));
    }
  }
}

/// Flushes the log while the writer works on the next group, and then tells those who wait.
void SqliteDatabase::sync_loop() {
  Group durable;
  for (;;) {
    {
      std::unique_lock lock(committed_mutex_);
      committed_filled_.wait(lock, [&] { return !committed_.empty() || writer_ended_; });
      if (committed_.empty()) return;
      std::swap(durable, committed_);
    }
    if (::fdatasync(log_) != 0) {
      // What others have read by now may be lost: only a fresh start from the disk is right again.
      std::fprintf(stderr, "sqlite: cannot sync the log of %s: %s\n", path_.c_str(),
                   std::strerror(errno));
      std::abort();
    }
    for (auto* pending : durable) {
      auto const done = pending->done;
      done->raise();
    }
    durable.clear();
  }
}

} // namespace vitrine::store::sqlite
