// Image data that must be what the sender signed.
#pragma once

#include "base/hash.hpp"
#include "net/message.hpp"

#include <memory>
#include <string>

namespace vitrine::api {

/// A sink that takes nothing for good unless the SHA-256 of all its bytes is the one told.
class SignedData final : public net::BodySink {
public:
  SignedData(std::unique_ptr<net::BodySink> sink, std::string sha256_hex)
      : sink_(std::move(sink)), wanted_(std::move(sha256_hex)) {}

  Block block() override { return sink_->block(); }
  Result<> accept(Block bytes) override {
    hash_.add(bytes.bytes());
    return sink_->accept(std::move(bytes));
  }
  net::Reply finish() override {
    if (hash_.take_hex() == wanted_) return sink_->finish();
    return sink_->refuse(
        error(Fault::invalid_value,
              "The data is not what was signed: X-Sdk-Content-Sha256 is not its SHA-256."));
  }
  net::Reply refuse(Error const& failure) override { return sink_->refuse(failure); }
  void abandon(Error const& failure) override { sink_->abandon(failure); }

private:
  std::unique_ptr<net::BodySink> sink_;
  std::string const wanted_;
  Hash hash_{HashAlgorithm::sha256};
};

} // namespace vitrine::api
