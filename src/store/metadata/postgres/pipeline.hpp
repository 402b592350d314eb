// Exchanges with a PostgreSQL server in libpq's pipeline mode, and the statements it has prepared.
#pragma once

#include "base/result.hpp"
#include "store/metadata/connection.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct pg_conn;
struct pg_result;

namespace vitrine::store::postgres {

/// What the engine made of a unit of work.
enum class Trouble : std::uint8_t {
  none,
  refused,   ///< a statement failed; the transaction is void
  overtaken, ///< another transaction came first (40001, 40P01, 55P03): the unit may run again
  lost,      ///< the connection, or a server that is no primary any more
  cut,       ///< something thrown ended an exchange: no more can be sent
};

struct ClearResult {
  void operator()(pg_result* result) const noexcept;
};
using OwnedResult = std::unique_ptr<pg_result, ClearResult>;

/// A map by text that is looked up without a copy.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
using TextMap = std::unordered_map<std::string, std::string, TextHash, std::equal_to<>>;

/// An exchange is `start`, what is sent, `finish`. What cannot be sent shows at the end. An
/// exchange that something thrown has cut was the last one of the connection. Used by one thread at
/// a time.
class Pipeline {
public:
  /// May take the result.
  using OnResult = std::function<void(OwnedResult&)>;

  /// Takes the handle over. `prepares`: statements are prepared, and kept so. A server that does
  /// not answer an exchange for `answer_max` is taken for lost.
  Pipeline(pg_conn* handle, bool prepares, std::chrono::milliseconds answer_max);
  ~Pipeline();
  Pipeline(Pipeline const&) = delete;
  Pipeline& operator=(Pipeline const&) = delete;

  [[nodiscard]] pg_conn* handle() const noexcept { return handle_; }
  [[nodiscard]] bool prepares() const noexcept { return prepares_; }
  /// What went wrong last.
  [[nodiscard]] Trouble trouble() const noexcept { return in_exchange_ ? Trouble::cut : trouble_; }
  void set_trouble(Trouble trouble) noexcept { trouble_ = trouble; }
  /// Lost since the server did not answer: it may be at it still.
  [[nodiscard]] bool silent() const noexcept { return silent_; }

  void start();
  /// A statement ahead of all others of the exchange; its result is nobody's.
  void send_ahead(char const* text);
  /// A statement without parameters; never prepared.
  void send_plain(char const* text);
  /// Error: `invalid_value` for a text with a NUL character; the exchange has ended then.
  Result<> send(std::string_view text, std::span<Param const> params);
  /// The name of a prepared statement; prepares it in this exchange when it is new, so ahead of
  /// what is sent.
  char const* prepare(std::string_view text);
  /// Reads everything that is still to come, and gives the results of what was sent in this
  /// exchange to `on_result`. `name` is for the log. Errors: `conflict`, `invalid_value`,
  /// `unavailable`, `internal`; see `trouble`.
  Result<> finish(std::string_view name, OnResult const& on_result);

  /// An exchange of one statement whose result the next one reads.
  void send_and_go_on(char const* text);
  /// Runs a script between two exchanges.
  Result<> run_script(std::string const& script);

private:
  Result<> read_all(std::string_view name, OnResult const& on_result);
  void end_unread();
  pg_result* next_result();
  bool wait_for_server();
  Error fail(std::string_view name, pg_result const* failed);
  Error lose(std::string_view name, std::string_view reason);

  pg_conn* handle_;
  bool const prepares_;
  std::chrono::milliseconds const answer_max_;
  Trouble trouble_{Trouble::none};
  bool silent_{false};

  int unread_{0};  ///< exchanges whose results nobody has read yet
  int prelude_{0}; ///< statements of this exchange ahead of the caller's
  bool sending_failed_{false};
  bool in_exchange_{false};
  std::chrono::steady_clock::time_point deadline_;

  TextMap prepared_; ///< names by text: dynamic list statements share a name of ours
  std::uint64_t prepared_count_{0};
  std::vector<std::string> preparing_; ///< the texts that this exchange prepares
};

/// Of a message of libpq; further lines may quote what was stored.
[[nodiscard]] std::string_view first_line(char const* message);

} // namespace vitrine::store::postgres
