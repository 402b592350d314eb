#include "service/image_data_test.hpp"

namespace vitrine::service {
namespace {

class UploadTwinsTest : public ImageDataTest {
protected:
  /// Its image is deleted, and the sweeper comes to it.
  Result<> give_up(BlobId const& blob) {
    return database_->write([&](store::Connection& c) -> Result<> {
      store::BlobIndex index(c);
      TRY(index.drop_reference(blob));
      auto const unused = TRY(index.unused("", 1));
      bool const given_up = TRY(index.give_up(unused.at(0), kTestStart));
      EXPECT_TRUE(given_up);
      return {};
    });
  }
};

} // namespace

TEST_F(UploadTwinsTest, keeps_equal_bytes_once) {
  auto const first = make();
  auto const second = make();
  auto const other = make();
  ASSERT_TRUE(put(first, "abc"));
  ASSERT_TRUE(put(second, "abc"));
  ASSERT_TRUE(put(other, "abd"));
  EXPECT_EQ(get(first).blob, get(second).blob);
  EXPECT_NE(get(first).blob, get(other).blob);
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(blobs_->commits, 2) << "known bytes are not written out";

  EXPECT_TRUE(database_->write([blob = get(first).blob](store::Connection& c) {
    return store::BlobIndex(c).drop_reference(blob);
  }));
  EXPECT_EQ(unused_blobs(), 0U) << "the other image still refers to them";
  EXPECT_TRUE(database_->write([blob = get(second).blob](store::Connection& c) {
    return store::BlobIndex(c).drop_reference(blob);
  }));
  EXPECT_EQ(unused_blobs(), 1U);
}

TEST_F(UploadTwinsTest, equal_bytes_made_permanent_at_once_are_kept_once) {
  auto const first = make();
  auto const second = make();
  blobs_->before_commit = [&] {
    blobs_->before_commit = {};
    ASSERT_TRUE(put(second, "abc"));
  };
  ASSERT_TRUE(put(first, "abc"));
  EXPECT_EQ(blobs_->commits, 2);
  EXPECT_EQ(get(first).blob, get(second).blob);
  EXPECT_EQ(files(), 1U);
}

// The row of a blob alone was taken for its bytes: good new ones were thrown away, for ever.
TEST_F(UploadTwinsTest, heals_damaged_bytes_with_equal_ones) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  for (bool const lost : {true, false}) {
    auto const damaged = get(old).blob;
    if (lost) {
      EXPECT_TRUE(disk_->remove(damaged));
    } else {
      std::filesystem::resize_file(place(damaged), 2);
    }
    auto const id = make();
    ASSERT_TRUE(put(id, "abc"));
    EXPECT_NE(get(id).blob, damaged);
    EXPECT_EQ(get(id).blob, get(old).blob);
    EXPECT_TRUE(downloads_->open(owner_, old));
    EXPECT_EQ(healed_.back(), std::pair(damaged, get(id).blob));
    EXPECT_EQ(files(), 1U) << "what is left of the damaged bytes goes";
  }
  EXPECT_EQ(healed_.size(), 2U);
  for (int references = 3; references > 0; --references) {
    EXPECT_EQ(unused_blobs(), 0U) << references;
    EXPECT_TRUE(database_->write([blob = get(old).blob](store::Connection& c) {
      return store::BlobIndex(c).drop_reference(blob);
    }));
  }
  EXPECT_EQ(unused_blobs(), 1U);
}

TEST_F(UploadTwinsTest, damaged_bytes_that_the_store_does_not_remove_stay_known) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  std::filesystem::resize_file(place(get(old).blob), 2);
  blobs_->stuck.insert(get(old).blob);
  ASSERT_TRUE(put(make(), "abc"));
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(unused_blobs(), 1U);
}

TEST_F(UploadTwinsTest, of_two_uploads_that_heal_the_same_bytes_one_does) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  ASSERT_TRUE(disk_->remove(get(old).blob));
  auto const first = make();
  auto const second = make();
  blobs_->before_commit = [&] {
    blobs_->before_commit = {};
    ASSERT_TRUE(put(second, "abc"));
  };
  ASSERT_TRUE(put(first, "abc"));
  EXPECT_EQ(healed_.size(), 1U);
  EXPECT_EQ(get(first).blob, get(second).blob);
  EXPECT_EQ(get(first).blob, get(old).blob);
  EXPECT_EQ(files(), 1U);
}

TEST_F(UploadTwinsTest, equal_bytes_that_the_sweeper_takes_meanwhile_are_kept_anew) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  auto const swept = get(old).blob;
  blobs_->before_open = [&] { // the upload has read the row, and looks at the bytes
    blobs_->before_open = {};
    ASSERT_TRUE(give_up(swept));
    ASSERT_TRUE(disk_->remove(swept));
    ASSERT_TRUE(database_->write(
        [&](store::Connection& c) { return store::BlobIndex(c).forget(std::span(&swept, 1)); }));
  };
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  EXPECT_TRUE(healed_.empty());
  EXPECT_NE(get(id).blob, swept);
  EXPECT_TRUE(downloads_->open(owner_, id));
  EXPECT_EQ(files(), 1U);
}

// The store did not remove them yet; it may at any time.
TEST_F(UploadTwinsTest, bytes_that_were_given_up_are_shared_no_more) {
  auto const old = make();
  ASSERT_TRUE(put(old, "abc"));
  auto const given_up = get(old).blob;
  ASSERT_TRUE(give_up(given_up));
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  EXPECT_TRUE(healed_.empty());
  EXPECT_NE(get(id).blob, given_up);
  ASSERT_TRUE(disk_->remove(given_up));
  EXPECT_TRUE(downloads_->open(owner_, id));
}

} // namespace vitrine::service
