// SQLite as a Database: one writer thread that groups commits, one that makes them durable, many
// readers. Readers see a commit a moment before it is durable; whoever wrote it is told afterwards.
#pragma once

#include "store/metadata/database.hpp"
#include "store/metadata/sqlite/sqlite_connection.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vitrine::store::sqlite {

class SqliteDatabase final : public Database {
public:
  /// Opens or creates the file and applies missing migrations. Errors: `unavailable` with the
  /// reason, also when the file was written by a newer release.
  static Result<std::unique_ptr<SqliteDatabase>> open(std::string path);
  /// Finishes the writes that wait, then closes.
  ~SqliteDatabase() override;

protected:
  Result<> do_read(Work const& work) override;
  Result<> do_read_anew(Work const& work) override;
  Result<> do_write(Work const& work) override;

private:
  struct Pending;
  using Group = std::vector<Pending*>;

  SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer);
  Result<> migrate();
  void write_loop();
  void commit_group(Group const& group);
  void sync_loop();
  Result<std::unique_ptr<SqliteConnection>> borrow_reader();

  std::string const path_;
  std::unique_ptr<SqliteConnection> writer_;

  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_; ///< idle ones

  std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::vector<Pending*> queue_;
  bool stopping_{false};
  std::thread writer_thread_;

  int log_{-1}; ///< descriptor of the write-ahead log
  std::mutex committed_mutex_;
  std::condition_variable committed_filled_;
  Group committed_; ///< units that wait for their commit to be durable
  bool writer_ended_{false};
  std::thread sync_thread_;
};

} // namespace vitrine::store::sqlite
