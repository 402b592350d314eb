#include "store/blobs/blob_stores.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <set>
#include <span>
#include <unistd.h>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

class BlobStoresTest : public testing::Test {
protected:
  BlobStoresTest() {
    std::string name = (fs::temp_directory_path() / "vitrine_stores_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    BlobStores::ByKey stores;
    for (auto const* const key : {"", "fast"}) {
      auto store = FilesystemBlobs::open(directory_ / (*key == '\0' ? "first" : key)).value();
      EXPECT_TRUE(store->set_mark("of this test"));
      stores.emplace(key, std::move(store));
    }
    blobs_ = std::make_unique<BlobStores>(std::move(stores));
  }
  ~BlobStoresTest() override { fs::remove_all(directory_); }

  Result<> put(BlobId const& id, std::string_view text) {
    auto writer = TRY(blobs_->create(id, {}));
    TRY(writer->write(std::as_bytes(std::span(text.data(), text.size()))));
    return writer->commit();
  }

  std::string get(BlobId const& id) {
    auto const opened = blobs_->open(id);
    if (!opened) return std::string(name_of(opened.error().fault));
    std::string text((*opened)->size_bytes(), '?');
    EXPECT_TRUE((*opened)->read(0, std::as_writable_bytes(std::span(text))));
    return text;
  }

  static std::set<std::string> ids(Blobs& of) {
    std::set<std::string> found;
    EXPECT_TRUE(of.list([&](StoredBlob const& blob) { found.insert(blob.id.text); }));
    return found;
  }

  fs::path directory_;
  std::unique_ptr<BlobStores> blobs_;
  std::string const hex_{new_hex_id()};
  BlobId const first_{hex_};
  BlobId const fast_{hex_ + "@fast"};
  BlobId const lost_{hex_ + "@lost"};
};

} // namespace

// The same digits in two stores are two blobs.
TEST_F(BlobStoresTest, goes_to_the_store_that_the_id_names) {
  ASSERT_TRUE(put(first_, "in the first"));
  EXPECT_EQ(get(fast_), "not_found");
  ASSERT_TRUE(put(fast_, "in the fast"));
  EXPECT_EQ(get(first_), "in the first");
  EXPECT_EQ(get(fast_), "in the fast");
  EXPECT_TRUE(fs::exists(directory_ / "fast" / hex_.substr(0, 2) / hex_));
  ASSERT_TRUE(blobs_->remove(first_));
  EXPECT_EQ(get(first_), "not_found");
  EXPECT_EQ(get(fast_), "in the fast");
}

TEST_F(BlobStoresTest, lists_ids_that_name_their_store) {
  ASSERT_TRUE(put(first_, "a"));
  auto const half = blobs_->create(fast_, {}).value();
  EXPECT_EQ(ids(*blobs_), (std::set{first_.text, fast_.text}));
  EXPECT_EQ(ids(*blobs_->all().at("")), std::set{first_.text});
  EXPECT_EQ(ids(*blobs_->all().at("fast")), std::set{fast_.text});
}

// Not `not_found`: what is not there could be healed, or forgotten.
TEST_F(BlobStoresTest, a_store_that_is_not_there_is_unavailable) {
  ASSERT_TRUE(put(first_, "a"));
  EXPECT_FALSE(blobs_->has("lost"));
  EXPECT_EQ(get(lost_), "unavailable");
  EXPECT_EQ(put(lost_, "x").error().fault, Fault::unavailable);
  EXPECT_EQ(blobs_->remove(lost_).error().fault, Fault::unavailable);
  EXPECT_EQ(get(first_), "a");
}

TEST_F(BlobStoresTest, says_which_of_them_cannot_be_listed) {
  EXPECT_TRUE(blobs_->look());
  fs::remove_all(directory_ / "fast");
  EXPECT_FALSE(blobs_->look());
  auto const failed = blobs_->list([](StoredBlob const&) {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail,
            "store fast: the image store has no mark; is its volume mounted?");
}

} // namespace vitrine::store
