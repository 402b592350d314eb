#include "net/client/exchange.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>

namespace vitrine::net::client {
namespace {

constexpr std::size_t kHeadBytesMax = 64U << 10U;
constexpr std::size_t kAbort = CURL_READFUNC_ABORT; ///< no callback handles so many bytes

bool fits_in_a_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// scheme://host:port, the part of a URL that is no secret.
std::string_view peer_of(std::string_view url) {
  auto const scheme = url.find("://");
  if (scheme == std::string_view::npos) return "no URL";
  auto peer = url.substr(0, url.find_first_of("/?#", scheme + 3));
  auto const user = peer.rfind('@');
  return user == std::string_view::npos ? peer : peer.substr(user + 1);
}

} // namespace

bool Exchange::sends_body() const {
  if (request_.upload || !request_.body.empty()) return true;
  auto const& method = request_.method;
  return method == "POST" || method == "PUT" || method == "PATCH";
}

Result<Exchange::List> Exchange::header_lines() const {
  List lines;
  auto const append = [&](std::string const& line) {
    auto* const longer = curl_slist_append(lines.get(), line.c_str());
    CHECK(longer != nullptr);
    (void)lines.release();
    lines.reset(longer);
  };
  append("Expect:"); // an empty one is not sent: waiting for 100 costs a round trip
  append("User-Agent: vitrine/" VITRINE_VERSION);
  for (auto const& [name, value] : request_.headers) {
    if (name.empty() || !fits_in_a_line(name) || !fits_in_a_line(value)) {
      return error(Fault::invalid_value, "A header cannot be sent.");
    }
    append(value.empty() ? name + ";" : name + ": " + value);
  }
  return lines;
}

void Exchange::set_connection() {
  set(CURLOPT_ERRORBUFFER, message_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXCONNECTS, 4L); // of this handle; most speak to one peer only
  if (!options_.ca_file.empty()) {
    set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.idle_timeout.count()));
  auto const total = request_.total_timeout.value_or(options_.total_timeout);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(total.count()));
}

void Exchange::set_body() {
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (sends_body()) {
    set(CURLOPT_UPLOAD, 1L);
    auto const length = request_.upload ? request_.upload->length : request_.body.size();
    set(CURLOPT_INFILESIZE_LARGE, length ? static_cast<curl_off_t>(*length) : curl_off_t{-1});
    set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10U);
    set(CURLOPT_READDATA, this);
    set(
        CURLOPT_READFUNCTION,
        +[](char* room, std::size_t size, std::size_t count, void* self) -> std::size_t {
          return static_cast<Exchange*>(self)->next_bytes(
              std::as_writable_bytes(std::span(room, size * count)));
        });
    set(CURLOPT_SEEKDATA, this);
    set(
        CURLOPT_SEEKFUNCTION, +[](void* self, curl_off_t offset, int origin) -> int {
          bool const start = offset == 0 && origin == SEEK_SET;
          return start && static_cast<Exchange*>(self)->from_start() ? CURL_SEEKFUNC_OK
                                                                     : CURL_SEEKFUNC_FAIL;
        });
  }
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Exchange::set_answer() {
  set(CURLOPT_BUFFERSIZE, 256L << 10U);
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_HEADERFUNCTION,
      +[](char* line, std::size_t size, std::size_t count, void* self) -> std::size_t {
        return static_cast<Exchange*>(self)->header_line({line, size * count});
      });
  set(CURLOPT_WRITEDATA, this);
  set(
      CURLOPT_WRITEFUNCTION,
      +[](char* bytes, std::size_t size, std::size_t count, void* self) -> std::size_t {
        return static_cast<Exchange*>(self)->body_bytes(
            std::as_bytes(std::span(bytes, size * count)));
      });
}

std::size_t Exchange::header_line(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kHeadBytesMax) {
    failure_ = error(Fault::too_large, "The head of the answer is too large.");
    return kAbort;
  }
  auto const size = line.size();
  if (line.starts_with("HTTP/")) { // of the answer, or of a 1xx before it
    response_ = {};
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return size;
  }
  while (line.ends_with('\n') || line.ends_with('\r'))
    line.remove_suffix(1);
  if (auto const colon = line.find(':'); colon != std::string_view::npos) {
    response_.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(text::trim(line.substr(colon + 1)))});
  }
  return size;
}

std::size_t Exchange::body_bytes(std::span<std::byte const> bytes) {
  if (request_.download && response_.status >= 200 && response_.status < 300) {
    if (auto taken = request_.download(response_, bytes); !taken) {
      failure_ = std::move(taken).error();
      return kAbort;
    }
    return bytes.size();
  }
  if (bytes.size() > request_.response_bytes_max - response_.body.size()) {
    failure_ = error(Fault::too_large, "The answer is too large.");
    return kAbort;
  }
  response_.body.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  return bytes.size();
}

std::size_t Exchange::next_bytes(std::span<std::byte> room) {
  if (request_.upload) {
    auto read = request_.upload->read(room);
    if (read) return *read;
    failure_ = std::move(read).error();
    return kAbort;
  }
  auto const part = request_.body.substr(sent_, room.size());
  std::memcpy(room.data(), part.data(), part.size());
  sent_ += part.size();
  return part.size();
}

bool Exchange::from_start() {
  sent_ = 0;
  if (!request_.upload) return true;
  return request_.upload->rewind && request_.upload->rewind();
}

Error Exchange::no_answer(CURLcode code) const {
  std::string reason = curl_easy_strerror(code);
  // Of these alone the longer text names nothing but the certificate.
  bool const told = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
  if (told && message_.front() != '\0') reason = message_.data();
  auto const fault = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL
                         ? Fault::invalid_value
                         : Fault::unavailable;
  return error(fault, std::string(peer_of(request_.url)) + ": " + reason);
}

Result<Response> Exchange::run() {
  auto const lines = TRY(header_lines());
  if (!fits_in_a_line(request_.url)) return error(Fault::invalid_value, "A URL cannot be sent.");
  set_connection();
  set_body();
  set_answer();
  set(CURLOPT_HTTPHEADER, lines.get());
  set(CURLOPT_URL, request_.url.c_str());
  auto const code = curl_easy_perform(handle_);
  curl_easy_reset(handle_); // drops every pointer into this call, keeps the connections
  if (failure_) return std::move(*failure_);
  if (code != CURLE_OK) return no_answer(code);
  return std::move(response_);
}

} // namespace vitrine::net::client
