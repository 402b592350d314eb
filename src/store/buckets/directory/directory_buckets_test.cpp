#include "store/buckets/directory/directory_buckets.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

class DirectoryBucketsTest : public testing::Test {
protected:
  DirectoryBucketsTest() { fs::create_directories(bucket_); }
  ~DirectoryBucketsTest() override { fs::remove_all(root_); }

  void put(std::string const& name, std::string const& bytes) {
    fs::create_directories((bucket_ / name).parent_path());
    std::ofstream(bucket_ / name) << bytes;
  }
  Fault open_fault(std::string const& object, std::string const& bucket = "images") {
    auto const opened = buckets_.open(user_, {bucket, object});
    return opened ? Fault::internal : opened.error().fault;
  }
  Result<> write(std::string const& object, std::string_view bytes) {
    auto writer = TRY(buckets_.create(user_, {"images", object}, {.mark = "mark"}));
    TRY(writer->write(std::as_bytes(std::span(bytes))));
    return writer->commit();
  }
  Fault write_fault(std::string const& object) {
    auto const written = write(object, "new");
    return written ? Fault::internal : written.error().fault;
  }
  std::string read(fs::path const& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::size_t entries() {
    return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(bucket_), {}));
  }

  fs::path const root_{fs::temp_directory_path() / ("vitrine_buckets_" + new_hex_id())};
  fs::path const bucket_{root_ / "buckets/p1/images"};
  BucketUser const user_{{"u1"}, {"p1"}};
  DirectoryBuckets buckets_{root_ / "buckets"};
};

} // namespace

TEST_F(DirectoryBucketsTest, ReadsInPiecesFromAnyPlace) {
  std::string bytes(2 * Block::kBytes + 12'345, '?');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 31 >> 3U);
  put("dir/disk", bytes);
  auto const object = buckets_.open(user_, {"images", "dir/disk"}).value();
  EXPECT_EQ(object->info().size_bytes, bytes.size());
  BlockPool blocks;
  auto const room = [&] { return blocks.take(); };
  std::string got;
  std::vector<std::size_t> sizes;
  ASSERT_TRUE(object->stream(1, bytes.size() - 2, room, [&](Block const& block) {
    got.append(reinterpret_cast<char const*>(block.bytes().data()), block.size());
    sizes.push_back(block.size());
    return Result<>();
  }));
  EXPECT_EQ(got, bytes.substr(1, bytes.size() - 2));
  EXPECT_EQ(sizes, (std::vector<std::size_t>{Block::kBytes, Block::kBytes, 12'343}));
  auto const stopped = object->stream(
      0, 10, room, [](Block const&) -> Result<> { return error(Fault::image_gone); });
  EXPECT_EQ(stopped.error().fault, Fault::image_gone);
}

TEST_F(DirectoryBucketsTest, NeverMixesWhatWasChangedMeanwhile) {
  put("disk", "first bytes");
  auto const object = buckets_.open(user_, {"images", "disk"}).value();
  std::string into(5, '?');
  ASSERT_TRUE(object->read(6, std::as_writable_bytes(std::span(into))));
  EXPECT_EQ(into, "bytes");
  fs::last_write_time(bucket_ / "disk", fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(object->read(6, std::as_writable_bytes(std::span(into))).error().fault,
            Fault::object_unreadable);
  auto const again = buckets_.open(user_, {"images", "disk"}).value();
  EXPECT_NE(again->info().etag, object->info().etag);
  fs::resize_file(bucket_ / "disk", 6);
  EXPECT_EQ(again->read(6, std::as_writable_bytes(std::span(into))).error().fault,
            Fault::object_unreadable);
}

TEST_F(DirectoryBucketsTest, ReachesNothingOutsideOfTheBucketsOfTheProject) {
  put("disk", "bytes");
  put("real/disk", "bytes");
  put("empty", "");
  std::ofstream(root_ / "secret") << "secret";
  fs::create_directories(root_ / "buckets/p2/images");
  fs::create_symlink(root_ / "secret", bucket_ / "link");
  fs::create_symlink(bucket_ / "real", bucket_ / "linked");
  fs::create_symlink(root_, root_ / "buckets/p1/rooted");
  ASSERT_EQ(::mkfifo((bucket_ / "pipe").c_str(), 0600), 0);
  std::ofstream(bucket_ / ".vitrine-x") << "half";

  EXPECT_EQ(open_fault("disk"), Fault::internal); // that is: opened
  for (auto const* name :
       {"link", "linked/disk", "real", "pipe", "empty", "none", "disk/x", "no/x"})
    EXPECT_EQ(open_fault(name), Fault::object_unreadable) << name;
  for (auto const* name : {"../../../secret", "real/../disk", "./disk", "/disk", "real//disk",
                           "real/", ".", "..", ".vitrine-x", "real/.vitrine-x"}) {
    EXPECT_EQ(open_fault(name), Fault::object_name_invalid) << name;
    EXPECT_EQ(write_fault(name), Fault::object_name_invalid) << name;
  }
  EXPECT_EQ(open_fault(std::string("disk\0", 5)), Fault::object_name_invalid);
  EXPECT_EQ(open_fault(std::string(256, 'o')), Fault::object_name_too_long);
  for (auto const* bucket : {"none", "rooted", "..", "../p2/images"})
    EXPECT_EQ(open_fault("disk", bucket), Fault::bucket_refused) << bucket;
  for (auto const* project : {"p2", "p3", "", "..", "../buckets/p1", "p1/images"}) {
    auto const opened = buckets_.open({{"u1"}, {project}}, {"images", "disk"});
    EXPECT_EQ(opened.error().fault,
              std::string_view(project) == "p2" ? Fault::object_unreadable : Fault::bucket_refused)
        << project;
  }
}

TEST_F(DirectoryBucketsTest, WritesAnObjectInOneStep) {
  auto writer = buckets_.create(user_, {"images", "a/b/disk"}, {.mark = "mark"}).value();
  std::string_view const bytes = "some bytes";
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(bytes))));
  EXPECT_FALSE(fs::exists(bucket_ / "a"));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  EXPECT_EQ(read(bucket_ / "a/b/disk"), bytes);
  EXPECT_EQ(entries(), 3U) << "a, b and the object";
}

TEST_F(DirectoryBucketsTest, LeavesNothingOfWhatWasNotCommitted) {
  auto writer = buckets_.create(user_, {"images", "a/disk"}, {.mark = "mark"}).value();
  EXPECT_EQ(entries(), 1U);
  writer.reset();
  EXPECT_EQ(entries(), 0U);
}

TEST_F(DirectoryBucketsTest, NeverReplacesAnObject) {
  put("a", "old");
  put("dir/b", "old");
  fs::create_symlink("/nowhere", bucket_ / "dangling");
  for (auto const* name : {"a", "dir", "dir/b", "a/below", "dangling", "dangling/below"})
    EXPECT_EQ(write_fault(name), Fault::object_exists) << name;
  auto writer = buckets_.create(user_, {"images", "late"}, {.mark = "mark"}).value();
  put("late", "theirs");
  EXPECT_EQ(writer->commit().error().fault, Fault::object_exists);
  writer.reset();
  EXPECT_EQ(read(bucket_ / "late"), "theirs");
  EXPECT_EQ(read(bucket_ / "a"), "old");
}

TEST_F(DirectoryBucketsTest, AsksBeforeTheObjectIsThere) {
  int looks = 0;
  auto const look = [&]() -> Result<> {
    ++looks;
    return error(Fault::lease_lost);
  };
  auto writer =
      buckets_.create(user_, {"images", "disk"}, {.mark = "mark", .last_look = look}).value();
  std::string_view const bytes = "some bytes";
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(bytes))));
  EXPECT_EQ(looks, 0) << "not before the commit";
  EXPECT_EQ(writer->commit().error().fault, Fault::lease_lost);
  EXPECT_EQ(looks, 1);
  writer.reset();
  EXPECT_EQ(entries(), 0U);
}

TEST_F(DirectoryBucketsTest, FindsWhatAKilledWriterLeft) {
  auto const now = SystemClock().now();
  auto ours = buckets_.create(user_, {"images", "disk"}, {.mark = "mark"}).value();
  auto others = buckets_.create(user_, {"images", "disk2"}, {.mark = "mark"}).value();
  ASSERT_TRUE(buckets_.remove_unfinished(user_, {"images", "disk"},
                                         now + 2 * kClocksApartUs)); // none began so late
  EXPECT_EQ(entries(), 2U);
  ASSERT_TRUE(buckets_.remove_unfinished(user_, {"images", "disk"}, now));
  EXPECT_EQ(entries(), 1U);
  EXPECT_FALSE(ours->commit());
  ASSERT_TRUE(others->commit());
  EXPECT_TRUE(fs::exists(bucket_ / "disk2"));
  EXPECT_FALSE(fs::exists(bucket_ / "disk"));
}

} // namespace vitrine::store
