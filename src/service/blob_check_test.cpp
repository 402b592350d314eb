#include "service/blob_check.hpp"
#include "service/image_data_test.hpp"

namespace vitrine::service {
namespace {

class BlobCheckTest : public ImageDataTest {
protected:
  BlobCheckTest() {
    auto blobs = std::make_unique<FaultyBlobs>(*disk_);
    store_ = blobs.get();
    store_->before_list = [this] {
      ++lists_;
      if (at_list_) at_list_(lists_);
    };
    store::BlobStores::ByKey by_key;
    by_key.emplace("", std::move(blobs));
    stores_ = std::make_unique<store::BlobStores>(std::move(by_key));
  }

  /// What is found, as a line each.
  std::vector<std::string> check() {
    auto const report = check_blobs(*database_, *stores_, std::chrono::milliseconds(0)).value();
    std::vector<std::string> lines;
    for (auto const& finding : report.findings)
      lines.push_back(std::string(name_of(finding.kind)) + " " + finding.id.text);
    compared_ = report.blobs;
    return lines;
  }

  void store_bytes(BlobId const& id) { ASSERT_TRUE(disk_->create(id, {}).value()->commit()); }

  void drop_reference(BlobId const& id) {
    ASSERT_TRUE(database_->write(
        [&](store::Connection& c) { return store::BlobIndex(c).drop_reference(id); }));
  }

  BlobId const stray_{"0123456789abcdef0123456789abcdef"};
  std::function<void(int)> at_list_;
  int lists_{0};
  std::int64_t compared_{0};

private:
  FaultyBlobs* store_;
  std::unique_ptr<store::BlobStores> stores_;
};

} // namespace

TEST_F(BlobCheckTest, what_is_right_is_looked_at_once) {
  ASSERT_TRUE(put(make(), "abc"));
  EXPECT_EQ(check(), std::vector<std::string>());
  EXPECT_EQ(compared_, 1);
  EXPECT_EQ(lists_, 1);
}

// So the bytes of an upload lie there that shares others: it drops its own once that is committed.
TEST_F(BlobCheckTest, bytes_that_are_about_to_go_are_not_orphaned) {
  store_bytes(stray_);
  at_list_ = [this](int list) {
    if (list != 2) return;
    ASSERT_TRUE(disk_->remove(stray_));
  };
  EXPECT_EQ(check(), std::vector<std::string>());
  EXPECT_EQ(lists_, 2);
}

TEST_F(BlobCheckTest, bytes_that_stay_without_a_row_are_orphaned) {
  store_bytes(stray_);
  EXPECT_EQ(check(), std::vector<std::string>{"orphaned " + stray_.text});
  EXPECT_EQ(lists_, 3);
}

// Another one each time: none of them is wrong.
TEST_F(BlobCheckTest, what_looks_wrong_once_is_not_wrong) {
  auto const other = BlobId{"fedcba9876543210fedcba9876543210"};
  store_bytes(stray_);
  at_list_ = [&](int list) {
    if (list != 2) return;
    ASSERT_TRUE(disk_->remove(stray_));
    store_bytes(other);
  };
  EXPECT_EQ(check(), std::vector<std::string>());
}

TEST_F(BlobCheckTest, only_bytes_that_an_image_has_are_missing) {
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  auto const blob = get(id).blob;
  ASSERT_TRUE(disk_->remove(blob));
  EXPECT_EQ(check(), std::vector<std::string>{"missing " + blob.text});
  drop_reference(blob);
  EXPECT_EQ(check(), std::vector<std::string>());
  EXPECT_EQ(compared_, 1) << "its row is there until it is forgotten";
}

} // namespace vitrine::service
