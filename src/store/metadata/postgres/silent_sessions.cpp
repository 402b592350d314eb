#include "store/metadata/postgres/silent_sessions.hpp"

#include <utility>

namespace vitrine::store::postgres {
namespace {

// The name is that of one connection: after a fail-over the number may be another session's.
constexpr sql::Statement kCancel{"cancel", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                                           "WHERE pid = $1 AND application_name = $2"};

// Not by PQcancel, which waits for ever for a server that stands still.
void cancel(ConnectionOptions const& options, std::vector<Session> const& sessions) {
  auto const connection = PostgresConnection::open(options);
  if (!connection) return;
  for (auto const& session : sessions) {
    if (!(*connection)->run(kCancel, {session.process, session.name})) return;
  }
}

} // namespace

SilentSessions::SilentSessions(ConnectionOptions const& options) : options_(options) {
  options_.answer_max = options.connect_timeout;
  options_.prepared_statements = false; // nor a setting of the session, which would be waited for
}

void SilentSessions::end(Session session) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(std::move(session));
  if (std::exchange(at_it_, true)) return;
  while (!waiting_.empty()) {
    auto const sessions = std::exchange(waiting_, {});
    lock.unlock();
    cancel(options_, sessions);
    lock.lock();
  }
  at_it_ = false;
}

} // namespace vitrine::store::postgres
