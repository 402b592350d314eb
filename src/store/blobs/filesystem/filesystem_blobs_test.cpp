#include "store/blobs/filesystem/filesystem_blobs.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;

class FilesystemBlobsTest : public testing::Test {
protected:
  FilesystemBlobsTest() {
    std::string name = (fs::temp_directory_path() / "vitrine_blobs_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    blobs_ = FilesystemBlobs::open(directory_).value();
    EXPECT_TRUE(blobs_->set_mark("of this test"));
  }
  ~FilesystemBlobsTest() override { fs::remove_all(directory_); }

  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (auto const& entry : fs::recursive_directory_iterator(directory_)) {
      count += is_job_id(entry.path().filename().string()) ? 1 : 0;
    }
    return count;
  }

  std::string content(BlobId const& id) {
    auto const opened = blobs_->open(id);
    if (!opened) return "absent";
    std::string text((*opened)->size_bytes(), '?');
    EXPECT_TRUE((*opened)->read(0, std::as_writable_bytes(std::span(text))));
    EXPECT_GE((*opened)->descriptor(), 0);
    return text;
  }

  fs::path directory_;
  std::unique_ptr<FilesystemBlobs> blobs_;
  BlobId const id_{new_hex_id()};
};

// Bytes at a page boundary, as the service hands them over.
struct Pages {
  explicit Pages(std::size_t size)
      : memory(static_cast<std::byte*>(std::aligned_alloc(kPage, (size / kPage + 1) * kPage))),
        bytes(memory.get(), size) {
    for (std::size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<std::byte>(i * 31 + i / 256);
  }
  [[nodiscard]] std::string text() const {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
  }

  std::unique_ptr<std::byte, decltype([](std::byte* memory) { std::free(memory); })> memory;
  std::span<std::byte> bytes;
};

std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

} // namespace

TEST_F(FilesystemBlobsTest, keeps_what_was_committed) {
  auto writer = blobs_->create(id_, {}).value();
  ASSERT_TRUE(writer->write(bytes_of("some ")));
  ASSERT_TRUE(writer->write({}));
  ASSERT_TRUE(writer->write(bytes_of("bytes")));
  EXPECT_EQ(content(id_), "absent") << "not before the commit";
  ASSERT_TRUE(writer->commit());
  writer.reset();
  EXPECT_EQ(content(id_), "some bytes");
  EXPECT_TRUE(fs::exists(directory_ / id_.text.substr(0, 2) / id_.text));
  EXPECT_EQ(files(), 1U);
}

TEST_F(FilesystemBlobsTest, takes_bytes_at_any_boundary) {
  Pages const pages(3 * kPage + 100);
  for (std::size_t const first : {std::size_t{0}, std::size_t{1}, kPage, kPage + 1, 2 * kPage}) {
    BlobId const id{new_hex_id()};
    auto writer = blobs_->create(id, {}).value();
    ASSERT_TRUE(writer->write(pages.bytes.first(first)));
    ASSERT_TRUE(writer->write(pages.bytes.subspan(first, kPage)));
    ASSERT_TRUE(writer->write(pages.bytes.subspan(first + kPage)));
    ASSERT_TRUE(writer->commit());
    EXPECT_EQ(content(id), pages.text()) << first;
  }
}

TEST_F(FilesystemBlobsTest, keeps_no_byte_of_what_was_not_committed) {
  Pages const pages(2 * kPage + 5);
  for (std::size_t const size : {std::size_t{0}, kPage, pages.bytes.size()}) {
    auto writer = blobs_->create(id_, {}).value();
    ASSERT_TRUE(writer->write(pages.bytes.first(size)));
    EXPECT_EQ(files(), 1U);
    writer.reset();
    EXPECT_EQ(files(), 0U) << size;
  }
}

TEST_F(FilesystemBlobsTest, refuses_an_id_that_is_being_written) {
  auto const writer = blobs_->create(id_, {}).value();
  EXPECT_FALSE(blobs_->create(id_, {}));
}

// Everything was said to be lost, and what was written lay below the volume.
TEST_F(FilesystemBlobsTest, a_volume_that_is_not_mounted_is_an_outage) {
  auto writer = blobs_->create(id_, {}).value();
  ASSERT_TRUE(writer->write(bytes_of("bytes")));
  ASSERT_TRUE(writer->commit());
  auto late = blobs_->create(BlobId{new_hex_id()}, {}).value();
  fs::path const volume = directory_.string() + "_volume";
  fs::rename(directory_, volume);
  fs::create_directory(directory_);
  auto const fault = [](auto const& done) { return done ? Fault::internal : done.error().fault; };
  EXPECT_EQ(fault(blobs_->open(id_)), Fault::unavailable);
  EXPECT_EQ(fault(blobs_->create(BlobId{new_hex_id()}, {})), Fault::unavailable);
  EXPECT_EQ(fault(blobs_->remove(id_)), Fault::unavailable);
  EXPECT_EQ(fault(blobs_->list([](StoredBlob const&) {})), Fault::unavailable);
  EXPECT_EQ(fault(blobs_->look()), Fault::unavailable);
  EXPECT_EQ(fault(late->commit()), Fault::unavailable);
  EXPECT_TRUE(fs::is_empty(directory_));
  late.reset();
  fs::remove(directory_);
  fs::rename(volume, directory_);
  EXPECT_TRUE(blobs_->look());
  EXPECT_EQ(content(id_), "bytes");
  EXPECT_EQ(content(BlobId{new_hex_id()}), "absent");
}

// Those of a release without marks go on.
TEST_F(FilesystemBlobsTest, a_directory_is_made_once_it_has_a_mark_or_a_blob) {
  auto const place = directory_ / "place";
  EXPECT_FALSE(FilesystemBlobs::is_made(place).value());
  fs::create_directories(place / "staging");
  std::ofstream(place / "staging" / id_.text).flush();
  fs::create_directory(place / "lost+found");
  EXPECT_FALSE(FilesystemBlobs::is_made(place).value());
  fs::create_directory(place / "ab");
  std::ofstream(place / "ab" / id_.text) << "bytes";
  EXPECT_TRUE(FilesystemBlobs::is_made(place).value());
  auto const opened = FilesystemBlobs::open(place).value();
  EXPECT_EQ(opened->mark().value(), std::nullopt);
  EXPECT_TRUE(opened->look()) << "nobody has marked it yet";
  ASSERT_TRUE(opened->set_mark("mine"));
  EXPECT_EQ(opened->mark().value(), "mine");
  fs::remove_all(place / "ab");
  EXPECT_TRUE(FilesystemBlobs::is_made(place).value());
  fs::remove(place / PlaceMark::kName);
  EXPECT_FALSE(FilesystemBlobs::is_made(place).value());
}

TEST_F(FilesystemBlobsTest, reports_a_store_without_room) {
  struct rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit const small{.rlim_cur = 3 * kPage, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  Pages const pages(4 * kPage);
  auto writer = blobs_->create(id_, {}).value();
  auto const written = writer->write(pages.bytes);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(written);
  writer.reset();
  EXPECT_EQ(files(), 0U);
}

TEST_F(FilesystemBlobsTest, removes_committed_and_half_written_bytes) {
  auto writer = blobs_->create(id_, {}).value();
  ASSERT_TRUE(writer->commit());
  BlobId const half{new_hex_id()};
  auto const other = blobs_->create(half, {}).value();
  ASSERT_TRUE(other->write(bytes_of("half")));
  EXPECT_TRUE(blobs_->remove(id_));
  EXPECT_TRUE(blobs_->remove(half));
  EXPECT_EQ(files(), 0U);
  EXPECT_TRUE(blobs_->remove(id_)) << "twice is once";
  EXPECT_EQ(content(id_), "absent");
}

TEST_F(FilesystemBlobsTest, lists_committed_and_half_written_bytes) {
  std::map<std::string, std::pair<std::uint64_t, bool>> expected;
  std::vector<std::unique_ptr<BlobWriter>> writers;
  auto const before = SystemClock().now() + -kMicrosecondsPerSecond; // files have coarser clocks
  for (unsigned i = 0; i < 6; ++i) {
    BlobId const id{new_hex_id()};
    bool const committed = i % 2 == 0;
    expected[id.text] = {i, committed};
    writers.push_back(blobs_->create(id, {}).value());
    ASSERT_TRUE(writers.back()->write(bytes_of(std::string(i, 'x'))));
    if (committed) {
      ASSERT_TRUE(writers.back()->commit());
    }
  }
  std::map<std::string, std::pair<std::uint64_t, bool>> listed;
  ASSERT_TRUE(blobs_->list([&](StoredBlob const& blob) {
    listed[blob.id.text] = {blob.size_bytes, blob.committed};
    EXPECT_GE(blob.changed_at, before);
    EXPECT_LE(blob.changed_at, SystemClock().now());
  }));
  EXPECT_EQ(listed, expected);
}

TEST_F(FilesystemBlobsTest, reads_any_part_and_tells_of_bytes_that_are_gone) {
  Pages const pages(3 * kPage);
  auto writer = blobs_->create(id_, {}).value();
  ASSERT_TRUE(writer->write(pages.bytes));
  ASSERT_TRUE(writer->commit());
  auto const opened = blobs_->open(id_).value();
  std::string part(1000, '?');
  ASSERT_TRUE(opened->read(kPage - 1, std::as_writable_bytes(std::span(part))));
  EXPECT_EQ(part, pages.text().substr(kPage - 1, 1000));
  fs::resize_file(directory_ / id_.text.substr(0, 2) / id_.text, kPage);
  auto const cut = opened->read(kPage - 1, std::as_writable_bytes(std::span(part)));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().fault, Fault::unavailable);
}

TEST_F(FilesystemBlobsTest, tells_whether_it_can_be_used) {
  EXPECT_TRUE(blobs_->look());
  fs::rename(directory_ / "staging", directory_ / "away");
  auto const looked = blobs_->look();
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().fault, Fault::unavailable);
}

} // namespace vitrine::store
