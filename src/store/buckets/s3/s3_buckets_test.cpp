// On a real store when there is one (tests/components/s3.py), and on one that breaks as it is told.
#include "net/test_client.hpp"
#include "store/buckets/s3/s3_buckets.hpp"
#include "store/s3/checksum.hpp"
#include "store/s3/xml.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

namespace vitrine::store::s3 {
namespace {

namespace fs = std::filesystem;
using net::testing::reply;

constexpr std::size_t kPart = 5U << 20U;

/// Users with keys of their own.
struct OwnKeys final : model::ObjectStoreKeys {
  std::map<std::pair<UserId, ProjectId>, model::ObjectStoreKey> keys;

  Result<std::optional<model::ObjectStoreKey>>
  object_store_key_of(UserId const& user, ProjectId const& project) override {
    auto const at = keys.find({user, project});
    if (at == keys.end()) return std::nullopt;
    return at->second;
  }
};

std::string pattern(std::size_t count) {
  std::string bytes(count, '?');
  for (std::size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<char>((i * 131 + i / 997) >> 2U);
  return bytes;
}

BucketUser const kAnn{{"ann"}, {"p1"}};
BucketUser const kBob{{"bob"}, {"p2"}};

class Reaching : public testing::Test {
protected:
  std::string mark_of(std::string const& object) {
    return buckets_->open(kAnn, {"images", object}).value()->info().mark.value_or("none");
  }
  Result<> write(std::string const& object, std::string_view bytes, BucketUser const& user = kAnn) {
    auto writer = TRY(buckets_->create(user, {"images", object}, {.mark = "mark"}));
    TRY(writer->write(std::as_bytes(std::span(bytes))));
    return writer->commit();
  }
  /// The bytes, or the name of what is wrong.
  std::string read(std::string const& object, BucketUser const& user = kAnn,
                   std::string const& bucket = "images") {
    auto const opened = buckets_->open(user, {bucket, object});
    if (!opened) return std::string(name_of(opened.error().fault));
    std::string got;
    auto const take = [&](Block const& block) -> Result<> {
      got.append(reinterpret_cast<char const*>(block.bytes().data()), block.size());
      return {};
    };
    auto const done = (*opened)->stream(0, (*opened)->size_bytes(), room_, take);
    return done ? got : std::string(name_of(done.error().fault));
  }

  OwnKeys own_;
  BlockPool blocks_;
  BucketObject::Room const room_ = [this] { return blocks_.take(); };
  BucketsOptions options_{
      .server = {.endpoint = {}, .region = "us-east-1", .pause = std::chrono::milliseconds(1)},
      .keys = {},
      .allowed = {{{"p1"}, "images"}, {{"p1"}, "none"}},
      .part_bytes = kPart};
  std::unique_ptr<S3Buckets> buckets_;
};

/// VITRINE_TEST_S3 is its address and its directory, in which a bucket is a directory.
class RealBuckets : public Reaching {
protected:
  void SetUp() override {
    auto const* const place = std::getenv("VITRINE_TEST_S3");
    if (place == nullptr) GTEST_SKIP() << "no object store";
    std::istringstream(place) >> options_.server.endpoint >> root_;
    bucket_ = fs::path(root_) / "images";
    fs::remove_all(bucket_);
    fs::create_directories(bucket_);
    options_.keys = Keys{.access_key = "vitrine-tests", .secret_key = "no-secret-of-anybody"};
    make();
  }
  void make(model::ObjectStoreKeys* own = nullptr) {
    buckets_ = std::make_unique<S3Buckets>(options_, own);
  }
  Calls calls() {
    server_ = std::make_unique<Server>(options_.server, clock_);
    return {*server_,
            {"images"},
            Account::open(*options_.keys).value(),
            [](Ask const&, auto const&) { return error(Fault::bucket_refused); }};
  }
  /// Until the store has a part of the object: what a killed writer sends ends with it, but a part
  /// that is under way while its upload is removed makes the store forget that it was.
  void wait_for_part(std::string const& object) {
    auto const asks = calls();
    std::string id;
    ASSERT_TRUE(list_uploads(asks, object, [&](std::string_view upload) {
      if (text_in(upload, "Key") == object) id = text_in(upload, "UploadId");
    }));
    auto const parts = [&] {
      return asks.send({.key = object, .query = {{"uploadId", id}}}).value().body;
    };
    while (text_in(parts(), "PartNumber").empty())
      std::this_thread::yield();
  }

  SystemClock clock_;
  std::unique_ptr<Server> server_; ///< of the calls
  std::string root_;
  fs::path bucket_;
};

/// A bucket with one object that answers as it is told.
class BrokenBucket : public Reaching {
protected:
  BrokenBucket() {
    handler_.on_handle = [this](net::Request& request) { return answer(request); };
    handler_.on_route = [](net::RequestHead const&) {
      return net::Route{.body_bytes_max = 8U << 20U};
    };
    server_ = net::testing::start(net::testing::local_options(), handler_);
    options_.server.endpoint = "http://127.0.0.1:" + std::to_string(server_->port());
    options_.keys = Keys{.access_key = "key", .secret_key = "secret"};
    buckets_ = std::make_unique<S3Buckets>(options_, nullptr);
  }

  net::Reply answer(net::Request& request) {
    std::lock_guard const lock(mutex_);
    seen_.push_back(request.method + " " + request.target + " " +
                    std::string(request.header("Range").value_or("")));
    if (request.target == "/images") return answer_for_bucket();
    if (request.target == "/images?location=") {
      if (location_.empty()) return reply(403, "<Error><Code>" + refusal_ + "</Code></Error>");
      return reply(200, "<LocationConstraint>" + location_ + "</LocationConstraint>");
    }
    if (request.target.find("upload") != std::string::npos) return answer_for_parts(request);
    if (!faults_.empty()) {
      auto const status = faults_.front();
      faults_.pop_front();
      if (status != 0) return reply(status, "<Error><Code>Faulty</Code></Error>");
    }
    if (request.method == "PUT") {
      bytes_ = request.body;
      mark_ = std::string(request.header("x-amz-meta-vitrine-upload").value_or(""));
      return reply(put_unheard_ ? 503 : 200, "");
    }
    return get(request);
  }

  net::Reply answer_for_bucket() {
    auto made = reply(bucket_status_, "");
    if (!region_.empty()) made.headers.push_back({"x-amz-bucket-region", region_});
    return made;
  }

  /// Of the one upload in parts, which cannot be completed.
  net::Reply answer_for_parts(net::Request const& request) {
    if (request.method == "DELETE") return reply(204, "");
    if (request.method == "PUT") return reply(200, "");
    if (!request.target.ends_with("?uploads=")) return reply(503, "");
    auto begun = reply(200, "<R><UploadId>u1</UploadId></R>");
    for (auto const* const name : {"x-amz-checksum-algorithm", "x-amz-checksum-type"})
      begun.headers.push_back({name, std::string(request.header(name).value_or(""))});
    return begun;
  }

  net::Reply get(net::Request const& request) {
    if (bytes_.empty()) return reply(404, "");
    auto const range = std::string(request.header("Range").value_or(""));
    if (range.empty()) return described(reply(200, bytes_));
    if (heeds_if_match_ && request.header("If-Match") != etag_) return reply(412, "");
    auto const from = std::stoul(range.substr(range.find('=') + 1));
    auto const to = std::stoul(range.substr(range.find('-') + 1));
    auto const count = std::min(to - from + 1, cut_);
    return described(reply(206, bytes_.substr(from, count)));
  }

  net::Reply described(net::Reply made) {
    made.headers.push_back({"ETag", etag_});
    made.headers.push_back({"Last-Modified", "Fri, 24 May 2013 00:00:00 GMT"});
    if (!mark_.empty()) made.headers.push_back({"x-amz-meta-vitrine-upload", mark_});
    if (!storage_class_.empty()) made.headers.push_back({"x-amz-storage-class", storage_class_});
    return made;
  }

  /// How many requests began so.
  std::size_t count(std::string_view start) {
    std::lock_guard const lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        seen_, [&](std::string const& line) { return line.starts_with(start); }));
  }

  std::vector<std::string> ranges() {
    std::lock_guard const lock(mutex_);
    std::vector<std::string> found;
    for (auto const& line : seen_) {
      if (line.starts_with("GET /images/")) found.push_back(line.substr(line.rfind('=') + 1));
    }
    return found;
  }

  std::mutex mutex_;
  std::deque<int> faults_; ///< statuses of requests for the object; 0 lets one through
  std::string bytes_;
  std::string etag_{"\"one\""};
  std::string mark_;
  std::string storage_class_;
  std::string region_;
  std::string location_;
  std::string refusal_{"AccessDenied"}; ///< why the location is not told
  std::size_t cut_{SIZE_MAX};           ///< bytes of an answer at most
  int bucket_status_{200};
  bool heeds_if_match_{true};
  bool put_unheard_{false};
  std::vector<std::string> seen_;
  net::testing::TestHandler handler_;
  std::unique_ptr<net::Server> server_;
};

} // namespace

TEST_F(RealBuckets, KeepWhatIsWrittenAndGiveItBack) {
  for (std::size_t const size : {std::size_t{1}, kPart, 2 * kPart + 4711}) {
    auto const name = "dir/with space/ä&<" + std::to_string(size);
    auto const bytes = pattern(size);
    ASSERT_TRUE(write(name, bytes));
    EXPECT_EQ(fs::file_size(bucket_ / name), size);
    EXPECT_TRUE(read(name) == bytes);
    EXPECT_EQ(write(name, "other").error().fault, Fault::object_exists);
    EXPECT_TRUE(read(name) == bytes);
  }
}

TEST_F(RealBuckets, KeepTheChecksumOfTheWhole) {
  auto const bytes = pattern(2 * kPart + 4711);
  ASSERT_TRUE(write("disk", bytes));
  Checksum whole;
  whole.add(std::as_bytes(std::span(bytes)));
  auto const told = calls().send(
      {.method = "HEAD", .key = "disk", .headers = {{"x-amz-checksum-mode", "ENABLED"}}});
  EXPECT_EQ(told.value().header("x-amz-checksum-crc32"), whole.text());
  EXPECT_EQ(told.value().header("x-amz-checksum-type"), "FULL_OBJECT");
}

TEST_F(RealBuckets, AreReachedByTheNameOfTheHost) {
  auto& endpoint = options_.server.endpoint;
  endpoint = "http://localhost" + endpoint.substr(endpoint.rfind(':'));
  options_.server.bucket_in_host = true;
  make();
  auto const bytes = pattern(kPart + 4711);
  ASSERT_TRUE(write("dir/with space/ä&<", bytes));
  EXPECT_EQ(fs::file_size(bucket_ / "dir/with space/ä&<"), bytes.size());
  EXPECT_TRUE(read("dir/with space/ä&<") == bytes);
  EXPECT_EQ(write("dir/with space/ä&<", "other").error().fault, Fault::object_exists);
  EXPECT_EQ(read("none"), "object_unreadable");
  EXPECT_EQ(read("x", kAnn, "none"), "bucket_refused");
}

TEST_F(RealBuckets, SayWhatIsNotThere) {
  EXPECT_EQ(read("none"), "object_unreadable");
  EXPECT_EQ(read("x", kAnn, "none"), "bucket_refused");
  EXPECT_EQ(read("x", kBob), "bucket_refused");
  std::ofstream(bucket_ / "empty").flush();
  EXPECT_EQ(read("empty"), "object_unreadable");
  options_.keys->secret_key = "another";
  make();
  EXPECT_EQ(read("none"), "bucket_refused");
  options_.server.endpoint = "http://127.0.0.1:1";
  make();
  EXPECT_EQ(read("none"), "bucket_unavailable");
}

TEST_F(RealBuckets, AreSomewhereElseWhenTheySaySo) {
  ASSERT_TRUE(write("disk", "bytes"));
  options_.server.region = "eu-de";
  make();
  EXPECT_EQ(read("disk"), "bucket_elsewhere");
}

TEST_F(RealBuckets, NeverGiveAMixOfTwoObjects) {
  auto const bytes = pattern(2 * kPart);
  ASSERT_TRUE(write("disk", bytes));
  auto const object = buckets_->open(kAnn, {"images", "disk"}).value();
  fs::remove(bucket_ / "disk");
  std::string into(10, '?');
  EXPECT_EQ(object->read(0, std::as_writable_bytes(std::span(into))).error().fault,
            Fault::object_unreadable);
  ASSERT_TRUE(write("disk", pattern(2 * kPart + 1)));
  EXPECT_EQ(object->read(0, std::as_writable_bytes(std::span(into))).error().fault,
            Fault::object_unreadable);
}

TEST_F(RealBuckets, RefuseAnObjectThatCameMeanwhile) {
  for (std::size_t const size : {std::size_t{10}, 2 * kPart}) {
    auto const name = "late" + std::to_string(size);
    auto writer = buckets_->create(kAnn, {"images", name}, {.mark = "another mark"}).value();
    auto const bytes = pattern(size);
    ASSERT_TRUE(writer->write(std::as_bytes(std::span(bytes))));
    ASSERT_TRUE(write(name, "theirs"));
    EXPECT_EQ(writer->commit().error().fault, Fault::object_exists);
    writer.reset();
    EXPECT_EQ(read(name), "theirs");
  }
}

TEST_F(RealBuckets, TellByTheMarkWhoseAnObjectIs) {
  for (std::size_t const size : {std::size_t{10}, 2 * kPart}) {
    auto const name = "mine" + std::to_string(size);
    auto const bytes = pattern(size);
    auto late = buckets_->create(kAnn, {"images", name}, {.mark = "mark"}).value();
    ASSERT_TRUE(late->write(std::as_bytes(std::span(bytes))));
    ASSERT_TRUE(write(name, bytes));
    EXPECT_EQ(mark_of(name), "mark");
    EXPECT_TRUE(late->commit()) << "it is there, put by another writer for the same job";
    EXPECT_TRUE(read(name) == bytes);
  }
  auto theirs = buckets_->create(kAnn, {"images", "theirs"}, {.mark = ""}).value();
  ASSERT_TRUE(theirs->write(std::as_bytes(std::span("bytes"))));
  ASSERT_TRUE(theirs->commit());
  EXPECT_EQ(mark_of("theirs"), "");
}

TEST_F(RealBuckets, FindWhatAKilledWriterLeft) {
  auto const now = SystemClock().now();
  auto const bytes = pattern(2 * kPart);
  auto ours = buckets_->create(kAnn, {"images", "disk"}, {.mark = "mark"}).value();
  auto others = buckets_->create(kAnn, {"images", "disk2"}, {.mark = "mark"}).value();
  for (auto* writer : {ours.get(), others.get()})
    ASSERT_TRUE(writer->write(std::as_bytes(std::span(bytes))));
  wait_for_part("disk");
  ASSERT_TRUE(buckets_->remove_unfinished(kAnn, {"images", "disk"}, now));
  EXPECT_EQ(ours->commit().error().fault, Fault::unavailable);
  EXPECT_TRUE(others->commit());
  EXPECT_FALSE(fs::exists(bucket_ / "disk"));
  EXPECT_TRUE(read("disk2") == bytes);
}

TEST_F(RealBuckets, LeaveOlderUploadsOfTheObjectToTheUser) {
  auto const bytes = pattern(2 * kPart);
  auto theirs = buckets_->create(kAnn, {"images", "disk"}, {.mark = "mark"}).value();
  ASSERT_TRUE(theirs->write(std::as_bytes(std::span(bytes))));
  auto const later = SystemClock().now() + 2 * kClocksApartUs;
  ASSERT_TRUE(buckets_->remove_unfinished(kAnn, {"images", "disk"}, later));
  EXPECT_TRUE(theirs->commit());
}

// What the user's own keys do not reach, the configured ones do not reach for them.
TEST_F(RealBuckets, AreReachedWithTheKeysOfTheUserBeforeOthers) {
  ASSERT_TRUE(write("disk", "bytes"));
  own_.keys[{kBob.user, kBob.project}] = {"a-user", "secret-of-a-user"};
  options_.allowed.insert({kBob.project, "images"});
  make(&own_);
  EXPECT_EQ(read("disk", kBob), "bucket_refused");
  auto writer = buckets_->create(kBob, {"of-a-user", "disk"}, {.mark = "mark"}).value();
  std::string_view const bytes = "of a user";
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(bytes))));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(read("disk", kBob, "of-a-user"), bytes);
  fs::remove(fs::path(root_) / "of-a-user/disk");

  EXPECT_EQ(read("disk", {kBob.user, kAnn.project}), "bytes") << "no key for that project";
  EXPECT_EQ(read("disk", {kAnn.user, {"p3"}}), "no_access_key");
  EXPECT_EQ(read("disk", kAnn, "of-a-user"), "no_access_key") << "not allowed";
  own_.keys[{kAnn.user, kAnn.project}] = {"nobody", "wrong"};
  EXPECT_EQ(read("disk"), "bucket_refused");
}

TEST_F(BrokenBucket, GoesOnWhereAReadBroke) {
  bytes_ = pattern(3'000'000);
  cut_ = 1'200'000;
  EXPECT_TRUE(read("disk") == bytes_);
  EXPECT_EQ(ranges(),
            (std::vector<std::string>{"0-2999999", "1200000-2999999", "2400000-2999999"}));
  seen_.clear();
  cut_ = SIZE_MAX;
  faults_ = {0, 503, 500, 429}; // HEAD is answered
  EXPECT_TRUE(read("disk") == bytes_);
  EXPECT_EQ(ranges().size(), 4U);
}

TEST_F(BrokenBucket, GivesUpWhenNothingComes) {
  bytes_ = pattern(1000);
  faults_ = {0, 503, 503, 503, 503, 503, 503};
  EXPECT_EQ(read("disk"), "bucket_unavailable");
  EXPECT_EQ(ranges().size(), 5U);
  faults_.clear();
  cut_ = 100; // each attempt gets on, but by little
  seen_.clear();
  EXPECT_EQ(read("disk"), "bucket_unavailable");
  EXPECT_EQ(ranges().size(), 5U);
}

TEST_F(BrokenBucket, NeverGoesOnInAnotherObject) {
  for (bool const heeds : {true, false}) {
    heeds_if_match_ = heeds;
    etag_ = "\"one\"";
    bytes_ = pattern(3'000'000);
    cut_ = 2'000'000;
    auto const object = buckets_->open(kAnn, {"images", "disk"}).value();
    EXPECT_EQ(object->info().changed_at, parse_time("2013-05-24T00:00:00Z"));
    auto const take = [&](Block const&) -> Result<> {
      std::lock_guard const lock(mutex_);
      etag_ = "\"two\"";
      return {};
    };
    EXPECT_EQ(object->stream(0, 3'000'000, room_, take).error().fault, Fault::object_unreadable);
  }
}

TEST_F(BrokenBucket, DoesNotAskAgainWhenTheTakerRefuses) {
  bytes_ = pattern(1000);
  auto const object = buckets_->open(kAnn, {"images", "disk"}).value();
  auto const refuse = [](Block const&) -> Result<> { return error(Fault::unavailable, "full"); };
  EXPECT_EQ(object->stream(0, 1000, room_, refuse).error().detail, "full");
  EXPECT_EQ(ranges().size(), 1U);
}

TEST_F(BrokenBucket, IsRefusedByRegionAndStorageClass) {
  bytes_ = "bytes";
  location_ = "us-east-1";
  EXPECT_EQ(read("disk"), "bytes");
  location_ = "eu-nl";
  EXPECT_EQ(read("disk"), "bucket_elsewhere");
  region_ = "us-east-1"; // what comes with the bucket is believed first
  EXPECT_EQ(read("disk"), "bytes");
  region_ = "eu-nl";
  EXPECT_EQ(read("disk"), "bucket_elsewhere");
  EXPECT_EQ(write("new", "x").error().fault, Fault::bucket_elsewhere);
  region_.clear();
  location_.clear();
  storage_class_ = "GLACIER";
  EXPECT_EQ(read("disk"), "object_unreadable");
  storage_class_ = "STANDARD";
  EXPECT_EQ(read("disk"), "bytes");
}

TEST_F(BrokenBucket, IsRefusedByStatus) {
  bytes_ = "bytes";
  for (auto const& [status, outcome] : std::map<int, std::string>{{301, "bucket_elsewhere"},
                                                                  {403, "bucket_refused"},
                                                                  {404, "bucket_refused"},
                                                                  {503, "bucket_unavailable"}}) {
    bucket_status_ = status;
    EXPECT_EQ(read("disk"), outcome) << status;
  }
}

// A worker that hung put its object there when its owner had removed that of another worker.
TEST_F(BrokenBucket, AsksBeforeEachRequestThatCouldPutTheObjectThere) {
  options_.part_bytes = 4;
  buckets_ = std::make_unique<S3Buckets>(options_, nullptr);
  for (std::string_view const bytes : {"disk", "a disk in parts"}) {
    bool const in_parts = bytes.size() > options_.part_bytes;
    std::string const step = in_parts ? "POST /images/disk?uploadId=u1" : "PUT /images/disk ";
    if (!in_parts) faults_ = {0, 503}; // HEAD, the first write
    std::vector<std::size_t> sent;
    auto const look = [&]() -> Result<> {
      sent.push_back(count(step));
      return sent.size() == 1 ? Result<>() : error(Fault::lease_lost);
    };
    auto writer =
        buckets_->create(kAnn, {"images", "disk"}, {.mark = "mark", .last_look = look}).value();
    ASSERT_TRUE(writer->write(std::as_bytes(std::span(bytes))));
    EXPECT_TRUE(sent.empty()) << "not before the commit";
    EXPECT_EQ(writer->commit().error().fault, Fault::lease_lost);
    writer.reset();
    EXPECT_EQ(sent, (std::vector<std::size_t>{0, 1})) << step;
    EXPECT_EQ(count(step), 1U);
    EXPECT_EQ(count("DELETE /images/disk?uploadId=u1"), in_parts ? 1U : 0U);
    EXPECT_TRUE(bytes_.empty());
  }
}

// It said that the bucket cannot be accessed, and imports failed for good.
TEST_F(BrokenBucket, IsNotRefusedWhereOurClockIsWrong) {
  bytes_ = "bytes";
  bucket_status_ = 403;
  EXPECT_EQ(read("disk"), "bucket_refused");
  refusal_ = "RequestTimeTooSkewed";
  EXPECT_EQ(read("disk"), "bucket_unavailable");
  EXPECT_EQ(write("new", "x").error().fault, Fault::bucket_unavailable);
}

TEST_F(BrokenBucket, TakesAWriteWhoseAnswerWasLostForDone) {
  faults_ = {404, 0, 412}; // HEAD, the write, the same again
  put_unheard_ = true;
  EXPECT_TRUE(write("disk", "bytes"));
  EXPECT_EQ(mark_, "mark");
  EXPECT_EQ(mark_of("disk"), "mark");
  mark_ = "another";
  EXPECT_EQ(mark_of("disk"), "another");
  faults_ = {404, 412};
  EXPECT_EQ(write("disk", "bytes").error().fault, Fault::object_exists) << "of the same size";
  mark_.clear();
  EXPECT_EQ(mark_of("disk"), "");
}

} // namespace vitrine::store::s3
