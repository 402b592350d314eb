// A database: snapshots to read, all-or-nothing units of work to write.
#pragma once

#include "store/metadata/connection.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace vitrine::store {

/// What is read without waiting, which decides how an engine reads several at once.
enum class LaterRead : std::uint8_t {
  row,  ///< by its key
  page, ///< some rows along an index
};

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

  /// Like `read`, for work that mostly runs one statement: cheaper where each costs a round trip.
  /// When it runs another, it may run again from the start.
  template <class F>
  auto read_single(F&& work) -> std::invoke_result_t<F&, Connection&> {
    return collect(std::forward<F>(work),
                   [this](Work const& unit) { return do_read_single(unit); });
  }

  /// Like `read_single`, for those who do not wait: true when `done` will get the result, once,
  /// from another thread; should it throw, for want of memory, it gets `unavailable` until it does
  /// not. False when the engine answers at once anyhow, or cannot just now. Nothing is tried again,
  /// and a second statement is refused: after `unavailable`, `read_single` may well succeed.
  template <class F, class OnAnswer>
  bool read_later(LaterRead what, F work, OnAnswer on_answer) {
    using Answer = std::invoke_result_t<F&, Connection&>;
    struct Kept {
      F work;
      OnAnswer on_answer;
      std::optional<Answer> answer;
    };
    auto const kept = std::make_shared<Kept>(Kept{std::move(work), std::move(on_answer), {}});
    return do_read_later(
        what,
        [kept](Connection& connection) -> Result<> {
          kept->answer.emplace(kept->work(connection));
          if (!*kept->answer) return Error(kept->answer->error());
          return {};
        },
        [kept](Result<> const& ran) {
          kept->on_answer(ran ? std::move(*kept->answer) : Answer(Error(ran.error())));
        });
  }

  /// Like `read`, but finds out first whether the engine can be reached at all, so that a file that
  /// is gone or broken shows although its pages are in memory.
  template <class F>
  auto read_anew(F&& work) -> std::invoke_result_t<F&, Connection&> {
    return collect(std::forward<F>(work), [this](Work const& unit) { return do_read_anew(unit); });
  }

  /// Runs `work` in a transaction: when it fails nothing of it stays; when this returns success it
  /// is on stable storage. Units take effect as if one after the other; concurrent ones may share
  /// one commit. Error of the engine: `unavailable`; only when the connection was lost at the very
  /// commit may the work have been done all the same.
  template <class F>
  auto write(F&& work) -> std::invoke_result_t<F&, Connection&> {
    return collect(std::forward<F>(work), [this](Work const& unit) { return do_write(unit); });
  }

protected:
  virtual Result<> do_read(Work const& work) = 0;
  virtual Result<> do_read_single(Work const& work) { return do_read(work); }
  using Done = std::function<void(Result<>)>;
  virtual bool do_read_later(LaterRead /*what*/, Work /*work*/, Done /*done*/) { return false; }
  virtual Result<> do_read_anew(Work const& work) { return do_read(work); }
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
