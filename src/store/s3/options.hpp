// Where an object store is, and what requests to it are signed with.
#pragma once

#include <chrono>
#include <string>

namespace vitrine::store::s3 {

struct ServerOptions {
  std::string endpoint; ///< http or https, without a slash at the end
  std::string region;
  bool bucket_in_host{false};           ///< BUCKET.HOST/KEY instead of HOST/BUCKET/KEY
  std::string ca_file{};                ///< PEM; empty: the certificates of the system
  std::chrono::seconds timeout{10};     ///< for a connection, or without a byte
  std::chrono::milliseconds pause{200}; ///< before the second attempt; the next is longer
};

/// Each of the two is in a file, read again when the store refuses what was read, or here.
struct Keys {
  std::string access_key{};
  std::string access_key_file{};
  std::string secret_key{};
  std::string secret_key_file{};
};

} // namespace vitrine::store::s3
