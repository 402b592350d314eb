// One exchange over a curl handle; for the files of this folder only.
#pragma once

#include "net/client/client.hpp"

#include <array>
#include <curl/curl.h>
#include <memory>

namespace vitrine::net::client {

struct EndHandle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, EndHandle>;

/// Lives on the stack of one call; curl calls back into it.
class Exchange {
public:
  /// All must outlive it.
  Exchange(CURL* handle, Options const& options, Request const& request)
      : handle_(handle), options_(options), request_(request) {}
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;

  Result<Response> run();

private:
  struct EndList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  using List = std::unique_ptr<curl_slist, EndList>;

  [[nodiscard]] Result<List> header_lines() const;
  void set_connection();
  void set_body();
  void set_answer();
  [[nodiscard]] bool sends_body() const;

  std::size_t header_line(std::string_view line);
  std::size_t body_bytes(std::span<std::byte const> bytes);
  std::size_t next_bytes(std::span<std::byte> room);
  bool from_start();
  [[nodiscard]] Error no_answer(CURLcode code) const;

  template <class T>
  void set(CURLoption option, T value) {
    CHECK(curl_easy_setopt(handle_, option, value) == CURLE_OK);
  }

  CURL* handle_;
  Options const& options_;
  Request const& request_;
  Response response_;
  std::size_t head_bytes_{0};
  std::size_t sent_{0};          ///< of a body in memory
  std::optional<Error> failure_; ///< why a callback ended the exchange
  std::array<char, CURL_ERROR_SIZE> message_{};
};

} // namespace vitrine::net::client
