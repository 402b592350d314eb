// The server's side of TLS: certificate files and the floor of what is spoken.
#pragma once

#include "base/result.hpp"
#include "net/task.hpp"

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

namespace vitrine::net {

/// A context for TLS 1.2 and 1.3 with that chain and key (PEM, without a passphrase). Error:
/// `unavailable`, naming the file at fault.
Result<std::shared_ptr<boost::asio::ssl::context>> load_tls(std::string const& certificate_file,
                                                            std::string const& key_file);

} // namespace vitrine::net
