#include "store/blobs/filesystem/filesystem_blobs.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
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
  }
  ~FilesystemBlobsTest() override { fs::remove_all(directory_); }

  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (auto const& entry : fs::recursive_directory_iterator(directory_)) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  std::string content(BlobId const& id) {
    auto const opened = blobs_->open(id);
    if (!opened) return "absent";
    std::string text(opened->size_bytes, '?');
    auto const got = ::pread(opened->descriptor, text.data(), text.size(), 0);
    ::close(opened->descriptor);
    EXPECT_EQ(got, static_cast<ssize_t>(text.size()));
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
  auto writer = blobs_->create(id_).value();
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
    auto writer = blobs_->create(id).value();
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
    auto writer = blobs_->create(id_).value();
    ASSERT_TRUE(writer->write(pages.bytes.first(size)));
    EXPECT_EQ(files(), 1U);
    writer.reset();
    EXPECT_EQ(files(), 0U) << size;
  }
}

TEST_F(FilesystemBlobsTest, refuses_an_id_that_is_being_written) {
  auto const writer = blobs_->create(id_).value();
  EXPECT_FALSE(blobs_->create(id_));
}

TEST_F(FilesystemBlobsTest, reports_a_store_without_room) {
  struct rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit const small{.rlim_cur = 3 * kPage, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  Pages const pages(4 * kPage);
  auto writer = blobs_->create(id_).value();
  auto const written = writer->write(pages.bytes);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(written);
  writer.reset();
  EXPECT_EQ(files(), 0U);
}

TEST_F(FilesystemBlobsTest, removes_committed_and_half_written_bytes) {
  auto writer = blobs_->create(id_).value();
  ASSERT_TRUE(writer->commit());
  BlobId const half{new_hex_id()};
  auto const other = blobs_->create(half).value();
  ASSERT_TRUE(other->write(bytes_of("half")));
  EXPECT_TRUE(blobs_->remove(id_));
  EXPECT_TRUE(blobs_->remove(half));
  EXPECT_EQ(files(), 0U);
  EXPECT_TRUE(blobs_->remove(id_)) << "twice is once";
  EXPECT_EQ(content(id_), "absent");
}

TEST_F(FilesystemBlobsTest, lists_committed_and_half_written_bytes) {
  std::set<std::string> expected;
  std::vector<std::unique_ptr<BlobWriter>> writers;
  for (int i = 0; i < 6; ++i) {
    BlobId const id{new_hex_id()};
    expected.insert(id.text);
    writers.push_back(blobs_->create(id).value());
    if (i % 2 == 0) {
      ASSERT_TRUE(writers.back()->commit());
    }
  }
  std::set<std::string> listed;
  ASSERT_TRUE(blobs_->list([&](BlobId const& id) { listed.insert(id.text); }));
  EXPECT_EQ(listed, expected);
}

} // namespace vitrine::store
