// Faults of a store that a real one does not show when asked to; what a real one answers is tested
// on a real one (tests/contract/test_s3.py).
#include "net/test_client.hpp"
#include "store/blobs/s3/s3_blobs.hpp"
#include "store/s3/checksum.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>
#include <span>

namespace vitrine::store::s3 {
namespace {

namespace fs = std::filesystem;
using net::testing::reply;

constexpr std::size_t kPart = 1000;
constexpr std::string_view kCompleted =
    R"(<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>)";

/// A bucket in memory that answers as it is told: each entry of `faults` is the status of one
/// request to come, 0 lets it through.
class Bucket {
public:
  Bucket() {
    handler_.on_handle = [this](net::Request& request) { return answer(request); };
    handler_.on_route = [](net::RequestHead const&) {
      return net::Route{.body_bytes_max = 1U << 20U};
    };
    server_ = net::testing::start(net::testing::local_options(), handler_);
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port());
  }

  std::mutex mutex;
  std::deque<int> faults;
  std::string access_key{"key"};                           ///< the only one that is taken
  std::map<std::string, std::string> objects;              ///< by path
  std::map<std::string, std::map<int, std::string>> parts; ///< by path?uploadId=…
  std::vector<std::string> seen;                           ///< method and target
  std::string host;                                        ///< of the last request
  bool completes_unheard{false}; ///< completes an upload, but the answer is lost
  /// The body of the answer to a completion; other than this one nothing comes of it.
  std::string completion{kCompleted};
  std::size_t drops_bytes{0}; ///< that an object lacks at its end once it is completed
  int broken_part{0};         ///< is never taken
  int damages{0};             ///< completions to come whose checksum does not fit
  /// How it takes the wish for a CRC-32: nothing, it ignores it; "silent", it says nothing but
  /// wants those of parts; the type that it checks, as it says; or the status by which it refuses
  /// it.
  std::string checks;
  std::map<int, std::string> sent_checksums; ///< by part
  std::string checksums; ///< of completions: of the parts, each with a space, then of the whole

private:
  net::Reply answer(net::Request& request) {
    std::lock_guard const lock(mutex);
    seen.push_back(request.method + " " + request.target);
    host = std::string(request.header("Host").value_or(""));
    int status = 0;
    if (!faults.empty()) {
      status = faults.front();
      faults.pop_front();
    }
    if (status != 0) return reply(status, "<Error><Code>Faulty</Code></Error>");
    auto const proof = std::string(request.header("Authorization").value_or(""));
    if (proof.find("Credential=" + access_key + "/") == std::string::npos) {
      return reply(403, "<Error><Code>InvalidAccessKeyId</Code></Error>");
    }
    auto const mark = request.target.find('?');
    auto const path = request.target.substr(0, mark);
    auto const query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
    if (request.method == "POST") return post(request, path, query);
    if (request.method == "PUT") return put(request, path, query);
    if (request.method == "DELETE") {
      auto const gone = query.empty() ? objects.erase(path) : parts.erase(path + "?" + query);
      return reply(gone > 0 ? 204 : 404, "");
    }
    return get(request, path);
  }

  net::Reply begin(net::Request const& request, std::string const& path) {
    auto const asked = request.header("x-amz-checksum-algorithm").value_or("");
    if (!asked.empty() && (checks == "400" || checks == "501")) {
      return reply(std::stoi(checks), "<Error><Code>NotImplemented</Code></Error>");
    }
    auto const id = "u" + std::to_string(++uploads_);
    parts[path + "?uploadId=" + id];
    auto begun = reply(200, "<R><UploadId>" + id + "</UploadId></R>");
    if (!asked.empty() && checks == "silent") wanting_.insert(id);
    if (asked.empty() || checks.empty() || checks == "silent") return begun;
    begun.headers.push_back({"x-amz-checksum-algorithm", std::string(asked)});
    begun.headers.push_back({"x-amz-checksum-type", checks});
    return begun;
  }

  net::Reply post(net::Request const& request, std::string const& path, std::string const& query) {
    if (query == "uploads=") return begin(request, path);
    for (auto at = request.body.find("<ChecksumCRC32>"); at != std::string::npos;
         at = request.body.find("<ChecksumCRC32>", at + 1))
      checksums += request.body.substr(at + 15, 8) + " ";
    checksums += request.header("x-amz-checksum-crc32").value_or("");
    auto const found = parts.find(path + "?" + query);
    if (found == parts.end()) return reply(404, "<Error><Code>NoSuchUpload</Code></Error>");
    if (damages > 0) {
      --damages;
      return reply(400, "<Error><Code>BadDigest</Code></Error>");
    }
    if (completion != kCompleted) return reply(200, completion);
    std::string whole;
    for (auto const& [number, bytes] : found->second)
      whole += bytes;
    whole.resize(whole.size() - drops_bytes);
    objects[path] = whole;
    parts.erase(found);
    return completes_unheard ? reply(503, "") : reply(200, completion);
  }

  net::Reply put(net::Request const& request, std::string const& path, std::string const& query) {
    if (query.empty()) {
      objects[path] = request.body;
      return reply(200, "");
    }
    auto const cut = query.find('&');
    auto const found = parts.find(path + "?" + query.substr(cut + 1));
    if (found == parts.end()) return reply(404, "<Error><Code>NoSuchUpload</Code></Error>");
    auto const number = std::stoi(query.substr(query.find('=') + 1));
    if (number == broken_part) return reply(503, "<Error><Code>Faulty</Code></Error>");
    auto const checksum = request.header("x-amz-checksum-crc32");
    if (!checksum && wanting_.contains(query.substr(query.rfind('=') + 1))) {
      return reply(400, "<Error><Code>InvalidPart</Code></Error>");
    }
    found->second[number] = request.body;
    sent_checksums[number] = checksum.value_or("");
    auto done = reply(200, "");
    done.headers.push_back({"ETag", "\"tag\""});
    return done;
  }

  net::Reply get(net::Request const& request, std::string const& path) {
    auto const found = objects.find(path);
    if (found == objects.end()) return reply(404, "<Error><Code>NoSuchKey</Code></Error>");
    auto const range = std::string(request.header("Range").value_or(""));
    if (range.empty()) return reply(200, found->second);
    auto const dash = range.find('-');
    auto const from = std::stoul(range.substr(range.find('=') + 1));
    auto const to = std::stoul(range.substr(dash + 1));
    return reply(206, found->second.substr(from, to - from + 1));
  }

  net::testing::TestHandler handler_;
  std::unique_ptr<net::Server> server_;
  int uploads_{0};
  std::set<std::string> wanting_; ///< uploads that want checksums
};

class S3BlobsTest : public testing::Test {
protected:
  S3BlobsTest() { open(); }

  void open() {
    options_.server.endpoint = bucket_.url();
    options_.server.pause = std::chrono::milliseconds(1);
    blobs_ = S3Blobs::open(options_).value();
  }

  static std::string bytes(std::size_t count) {
    std::string text(count, '?');
    for (std::size_t i = 0; i < count; ++i)
      text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
    return text;
  }

  Result<> put(std::string_view text, std::optional<std::uint64_t> announced = {}) {
    auto writer = TRY(blobs_->create(id_, announced));
    for (std::size_t at = 0; at < text.size(); at += 300) {
      auto const piece = text.substr(at, 300);
      TRY(writer->write(std::as_bytes(std::span(piece.data(), piece.size()))));
    }
    return writer->commit();
  }

  std::string get(std::uint64_t offset, std::size_t count) {
    auto const opened = blobs_->open(id_);
    if (!opened) return std::string(name_of(opened.error().fault));
    std::string text(count, '?');
    auto const got = (*opened)->read(offset, std::as_writable_bytes(std::span(text)));
    return got ? text : std::string(name_of(got.error().fault));
  }

  std::size_t count(std::string_view start) {
    std::lock_guard const lock(bucket_.mutex);
    return static_cast<std::size_t>(std::ranges::count_if(
        bucket_.seen, [&](std::string const& line) { return line.starts_with(start); }));
  }

  Bucket bucket_;
  Options options_{.server = {.endpoint = {}, .region = "eu-de"},
                   .keys = {.access_key = "key", .secret_key = "secret"},
                   .bucket = "images",
                   .prefix = "a/",
                   .part_bytes = kPart};
  std::unique_ptr<S3Blobs> blobs_;
  BlobId const id_{new_hex_id()};
};

} // namespace

// What fits one part goes at once; announced sizes do not make parts smaller than usual.
TEST_F(S3BlobsTest, stores_in_one_piece_what_fits_a_part) {
  for (std::size_t const size : {std::size_t{0}, std::size_t{1}, kPart}) {
    auto const text = bytes(size);
    bucket_.seen.clear();
    ASSERT_TRUE(put(text));
    EXPECT_EQ(bucket_.objects.at("/images/a/" + id_.text), text);
    EXPECT_EQ(count("POST"), 0U) << size;
    EXPECT_EQ(count("PUT"), 1U) << size;
  }
}

// Stores that know no checksums ignore the wish, refuse the upload for it, or say nothing and then
// miss them: every upload in parts to one of those failed.
TEST_F(S3BlobsTest, tells_the_checksums_that_a_store_checks) {
  auto const text = bytes(2 * kPart + 1);
  Checksum whole;
  std::vector<std::string> of_parts;
  for (std::size_t at = 0; at < text.size(); at += kPart) {
    Checksum part;
    part.add(std::as_bytes(std::span(text).subspan(at, std::min(kPart, text.size() - at))));
    whole.append(part);
    of_parts.push_back(part.text());
  }
  auto const listed = of_parts[0] + " " + of_parts[1] + " " + of_parts[2] + " ";
  std::map<std::string, std::string> const told = {
      {"", ""},    {"silent", ""},    {"400", ""},
      {"501", ""}, {"COMPOSITE", ""}, {"FULL_OBJECT", listed + whole.text()}};
  for (auto const& [checks, expected] : told) {
    bucket_.checks = checks;
    bucket_.checksums.clear();
    bucket_.objects.clear();
    ASSERT_TRUE(put(text)) << checks;
    EXPECT_TRUE(bucket_.parts.empty()) << "an upload is left over: " << checks;
    EXPECT_EQ(bucket_.objects.at("/images/a/" + id_.text), text);
    EXPECT_EQ(bucket_.checksums, expected) << checks;
    for (int number = 1; number <= 3; ++number) {
      auto const sum = expected.empty() ? "" : of_parts[static_cast<std::size_t>(number) - 1];
      EXPECT_EQ(bucket_.sent_checksums[number], sum) << checks << number;
    }
  }
}

TEST_F(S3BlobsTest, sends_again_what_was_damaged_on_the_way) {
  bucket_.checks = "FULL_OBJECT";
  bucket_.damages = 2;
  ASSERT_TRUE(put(bytes(2 * kPart)));
  EXPECT_EQ(bucket_.objects.at("/images/a/" + id_.text), bytes(2 * kPart));
  bucket_.damages = 3;
  EXPECT_EQ(put(bytes(2 * kPart)).error().fault, Fault::unavailable);
}

TEST_F(S3BlobsTest, stores_in_parts_what_is_larger) {
  for (std::size_t const size : {kPart + 1, 2 * kPart, 3 * kPart + 17}) {
    auto const text = bytes(size);
    bucket_.seen.clear();
    ASSERT_TRUE(put(text));
    EXPECT_EQ(bucket_.objects.at("/images/a/" + id_.text), text);
    EXPECT_EQ(count("PUT"), (size + kPart - 1) / kPart);
    EXPECT_TRUE(bucket_.parts.empty());
  }
  EXPECT_EQ(get(kPart - 5, 10), bytes(3 * kPart).substr(kPart - 5, 10));
}

// `localhost` and all below it is this machine, whatever a DNS says (RFC 6761).
TEST_F(S3BlobsTest, puts_the_bucket_into_the_host) {
  auto const port = bucket_.url().substr(bucket_.url().rfind(':'));
  options_.server.endpoint = "http://localhost" + port;
  options_.server.bucket_in_host = true;
  blobs_ = S3Blobs::open(options_).value();
  ASSERT_TRUE(put("some"));
  EXPECT_EQ(bucket_.host, "images.localhost" + port);
  EXPECT_EQ(bucket_.objects.at("/a/" + id_.text), "some");
  ASSERT_FALSE(blobs_->look()); // no object of that name here
  EXPECT_EQ(bucket_.seen.back(), "GET /?list-type=2&max-keys=1&prefix=a%2F");
}

TEST_F(S3BlobsTest, makes_parts_so_large_that_they_suffice) {
  auto const text = bytes(3 * kPart);
  ASSERT_TRUE(put(text, 10'000ULL << 20U));
  EXPECT_EQ(count("POST"), 0U); // of 2 MiB
  EXPECT_EQ(bucket_.objects.at("/images/a/" + id_.text), text);
}

TEST_F(S3BlobsTest, drops_the_parts_of_what_was_not_committed) {
  auto writer = blobs_->create(id_, {}).value();
  auto const text = bytes(3 * kPart);
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(text.data(), text.size()))));
  writer.reset();
  EXPECT_TRUE(bucket_.parts.empty());
  EXPECT_TRUE(bucket_.objects.empty());
  EXPECT_EQ(get(0, 1), "not_found");
}

TEST_F(S3BlobsTest, asks_again_and_then_gives_up) {
  bucket_.faults = {503, 500};
  ASSERT_TRUE(put("some"));
  EXPECT_EQ(count("PUT"), 3U);
  bucket_.faults = {503, 503, 503};
  auto const failed = put("some");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::unavailable);
  EXPECT_EQ(failed.error().detail, "The image store does not answer.");
  EXPECT_EQ(count("PUT"), 6U);
  bucket_.faults = {0, 503};
  EXPECT_EQ(get(1, 2), "om");
}

TEST_F(S3BlobsTest, does_not_ask_again_what_is_refused) {
  bucket_.faults = {400};
  EXPECT_EQ(put("some").error().fault, Fault::unavailable);
  bucket_.faults = {507};
  EXPECT_EQ(put("some").error().fault, Fault::store_full);
  EXPECT_EQ(count("PUT"), 2U);
}

TEST_F(S3BlobsTest, tells_of_a_failed_part_before_all_are_there) {
  bucket_.broken_part = 2;
  EXPECT_EQ(put(bytes(20 * kPart)).error().fault, Fault::unavailable);
  EXPECT_TRUE(bucket_.parts.empty());
  EXPECT_EQ(count("PUT"), 5U); // three attempts, and the parts before and beside it
}

TEST_F(S3BlobsTest, takes_a_completion_whose_answer_was_lost_for_done) {
  bucket_.completes_unheard = true;
  auto const text = bytes(2 * kPart + 1);
  EXPECT_TRUE(put(text));
  EXPECT_EQ(get(0, text.size()), text);
}

// Each was taken for done, and the bytes were nowhere.
TEST_F(S3BlobsTest, takes_no_answer_for_a_completion_that_does_not_say_so) {
  for (auto const* body : {"<?xml version=\"1.0\"?>\n\n<Error><Code>InternalError</Code></Error>",
                           "<Error xmlns=\"x\"><Code>InternalError</Code></Error>", " \n ", "",
                           "<CompleteMultipartUploadResult><ETag>"}) {
    bucket_.completion = body;
    EXPECT_EQ(put(bytes(2 * kPart)).error().fault, Fault::unavailable) << body;
    EXPECT_TRUE(bucket_.parts.empty()) << body;
  }
  EXPECT_EQ(count("POST /images/a/" + id_.text + "?uploadId="), 5U * 3) << "it asks again";
}

TEST_F(S3BlobsTest, looks_whether_what_it_put_together_is_whole) {
  bucket_.drops_bytes = 7;
  auto const failed = put(bytes(2 * kPart));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::unavailable);
  EXPECT_EQ(failed.error().detail, "The object store does not have what was sent to it.");
  bucket_.drops_bytes = 0;
  bucket_.seen.clear();
  EXPECT_TRUE(put(bytes(2 * kPart)));
  EXPECT_TRUE(put(bytes(kPart)));
  EXPECT_EQ(count("HEAD"), 1U) << "what went at once is proven by its digest";
}

TEST_F(S3BlobsTest, reads_its_keys_again_when_they_are_refused) {
  auto const file = fs::temp_directory_path() / ("vitrine_key_" + id_.text);
  std::ofstream(file) << "key\n";
  options_.keys.access_key.clear();
  options_.keys.access_key_file = file.string();
  open();
  ASSERT_TRUE(put("some"));
  bucket_.access_key = "other";
  EXPECT_EQ(put("some").error().fault, Fault::unavailable);
  std::ofstream(file) << "other\n";
  EXPECT_TRUE(put("some"));
  fs::remove(file);
}

TEST_F(S3BlobsTest, needs_its_keys_at_the_start) {
  options_.keys.secret_key_file = "/nowhere/key";
  auto const refused = S3Blobs::open(options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "no key can be read from /nowhere/key");
}

// An answer to HEAD has no body to tell why.
TEST_F(S3BlobsTest, only_an_object_is_missing_for_good) {
  EXPECT_EQ(get(0, 1), "not_found");
  ASSERT_TRUE(put("x"));
  bucket_.faults = {404, 404};
  EXPECT_EQ(get(0, 1), "unavailable");
  EXPECT_EQ(get(0, 1), "x");
}

TEST_F(S3BlobsTest, a_store_that_is_out_is_unavailable) {
  options_.server.endpoint = "http://127.0.0.1:1";
  blobs_ = S3Blobs::open(options_).value();
  EXPECT_EQ(put("some").error().fault, Fault::unavailable);
  EXPECT_EQ(get(0, 1), "unavailable");
  EXPECT_EQ(blobs_->look().error().fault, Fault::unavailable);
}

} // namespace vitrine::store::s3
