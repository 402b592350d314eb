// A database: snapshots to read, all-or-nothing units of work to write.
#pragma once

#include "store/metadata/connection.hpp"

#include <functional>
#include <type_traits>
#include <utility>

namespace vitrine::store {

/// Thread-safe. Units of work are plain functions of a Connection; they may run on another thread
/// than the caller's, must not call back into the Database, and may run again after a conflict: no
/// side effects but through the connection and the values they return.
class Database {
public:
  using Work = std::function<Result<>(Connection&)>;

  virtual ~Database() = default;

  /// Runs `work` on one consistent snapshot. Returns its result or value.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F&, Connection&> {
    return collect(std::forward<F>(work), [this](Work const& unit) { return do_read(unit); });
  }

  /// Runs `work` in a transaction: when it fails nothing of it stays; when this returns success it
  /// is on stable storage. Concurrent writers may share one commit.
  template <class F>
  auto write(F&& work) -> std::invoke_result_t<F&, Connection&> {
    return collect(std::forward<F>(work), [this](Work const& unit) { return do_write(unit); });
  }

protected:
  virtual Result<> do_read(Work const& work) = 0;
  virtual Result<> do_write(Work const& work) = 0;

private:
  template <class F, class Run>
  auto collect(F&& work, Run&& run) -> std::invoke_result_t<F&, Connection&> {
    using Answer = std::invoke_result_t<F&, Connection&>;
    std::optional<Answer> answer;
    auto const ran = run([&](Connection& connection) -> Result<> {
      answer.emplace(work(connection));
      if (!*answer) return Error(answer->error());
      return {};
    });
    if (!ran) return Answer(Error(ran.error()));
    return std::move(*answer);
  }
};

} // namespace vitrine::store
