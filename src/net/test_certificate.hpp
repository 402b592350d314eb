// For the tests of this folder: a certificate that nobody signed but its owner.
#pragma once

#include <cstdio>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string>

namespace vitrine::net::testing {

/// A key and a self-signed certificate of that name as PEM files.
class Certificate {
public:
  Certificate(std::filesystem::path const& folder, std::string const& name) {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    std::unique_ptr<X509, decltype(&X509_free)> const certificate(X509_new(), X509_free);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    write(folder / "cert.pem", [&](FILE* file) { PEM_write_X509(file, certificate.get()); });
    write(folder / "key.pem", [&](FILE* file) {
      PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

private:
  template <class Writer>
  static void write(std::filesystem::path const& path, Writer writer) {
    FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    writer(file);
    std::fclose(file);
  }
};

} // namespace vitrine::net::testing
