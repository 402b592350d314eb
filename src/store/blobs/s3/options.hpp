// Where the bucket is and who asks.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace vitrine::store::s3 {

struct Options {
  std::string endpoint; ///< http or https, without a slash at the end
  std::string bucket;
  std::string region;
  std::string prefix; ///< of all keys; may be empty
  // Each of the two is in a file, read again when the store refuses what was read, or here.
  std::string access_key;
  std::string access_key_file;
  std::string secret_key;
  std::string secret_key_file;
  std::string ca_file; ///< PEM; empty: the certificates of the system
  std::size_t part_bytes{16U << 20U};
  std::chrono::seconds timeout{10};     ///< for a connection, or without a byte
  std::chrono::milliseconds pause{200}; ///< before the second attempt; the next is longer
};

} // namespace vitrine::store::s3
