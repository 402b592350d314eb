#include "net/tls.hpp"

#include <fmt/core.h>

namespace vitrine::net {

Result<std::shared_ptr<boost::asio::ssl::context>> load_tls(std::string const& certificate_file,
                                                            std::string const& key_file) {
  using boost::asio::ssl::context;
  auto tls = std::make_shared<context>(context::tls_server);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                                SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(tls->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  // Without this OpenSSL asks the terminal for the passphrase of a key, and a reload would hang.
  tls->set_password_callback([](std::size_t, context::password_purpose) { return std::string(); });
  boost::system::error_code failure;
  tls->use_certificate_chain_file(certificate_file, failure);
  if (failure) {
    return error(Fault::unavailable, fmt::format("the certificate file {} cannot be used: {}",
                                                 certificate_file, failure.message()));
  }
  tls->use_private_key_file(key_file, context::pem, failure);
  if (failure) {
    return error(Fault::unavailable,
                 fmt::format("the key file {} cannot be used: {}", key_file, failure.message()));
  }
  return tls;
}

} // namespace vitrine::net
