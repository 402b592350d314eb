// Sessions of the server that were too silent to wait for: a session whose client is gone stays as
// long as its commit waits, and one by one they would take the room of all others.
#pragma once

#include "store/metadata/postgres/postgres_connection.hpp"

#include <mutex>
#include <vector>

namespace vitrine::store::postgres {

/// Thread-safe.
class SilentSessions {
public:
  /// Asks with one connection at a time, for `connect_timeout` at most.
  explicit SilentSessions(ConnectionOptions const& options);

  /// Has the server end what it does in that session, unless another thread is at it: then that one
  /// does it. What cannot be told now is forgotten.
  void end(Session session);

private:
  ConnectionOptions options_;
  std::mutex mutex_;
  std::vector<Session> waiting_;
  bool at_it_{false};
};

} // namespace vitrine::store::postgres
