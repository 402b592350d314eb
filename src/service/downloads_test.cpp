#include "service/image_data_test.hpp"

namespace vitrine::service {
namespace {

using model::ImageStatus;

class DownloadsTest : public ImageDataTest {};

} // namespace

TEST_F(DownloadsTest, downloads_are_for_those_who_may) {
  auto const id = make();
  auto const nothing_yet = downloads_->open(owner_, id);
  ASSERT_TRUE(nothing_yet);
  EXPECT_FALSE(*nothing_yet);
  ASSERT_TRUE(put(id, "abc"));

  auto reader = owner_;
  reader.roles = {"reader"};
  auto admin = stranger_;
  admin.is_admin = true;
  admin.roles = {"admin", "member", "reader"};
  auto const fault = [&](model::Caller const& caller) {
    auto const opened = downloads_->open(caller, id);
    if (!opened) return opened.error().fault;
    return Fault::internal; // stands for success
  };
  EXPECT_EQ(fault(owner_), Fault::internal);
  EXPECT_EQ(fault(reader), Fault::forbidden);
  EXPECT_EQ(fault(stranger_), Fault::image_not_found);
  change(id, [](auto& image) { image.status = ImageStatus::deactivated; });
  EXPECT_EQ(fault(owner_), Fault::image_deactivated);
  EXPECT_EQ(fault(stranger_), Fault::image_not_found);
  EXPECT_EQ(fault(admin), Fault::internal);
}

// Was answered as an image that does not exist, which clients take for deleted.
TEST_F(DownloadsTest, data_that_is_missing_is_not_an_image_that_is) {
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  auto const remove_data = [this, blob = get(id).blob] { EXPECT_TRUE(disk_->remove(blob)); };
  blobs_->before_open = [&] {
    remove_data();
    remove(id);
  };
  auto const deleted = downloads_->open(owner_, id);
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().fault, Fault::image_not_found) << "deleted this moment";
  EXPECT_TRUE(damaged_.empty());

  auto const damaged = make();
  blobs_->before_open = nullptr;
  ASSERT_TRUE(put(damaged, "abc"));
  EXPECT_TRUE(disk_->remove(get(damaged).blob));
  auto const missing = downloads_->open(owner_, damaged);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().fault, Fault::unavailable);
  EXPECT_EQ(damaged_, (std::vector<Damage>{{damaged, 3, std::nullopt}}));
}

// Was sent, with a Content-Length to match.
TEST_F(DownloadsTest, data_of_another_size_is_not_sent) {
  auto const id = make();
  ASSERT_TRUE(put(id, "abc"));
  for (auto const size : {2U, 4U}) {
    std::filesystem::resize_file(place(get(id).blob), size);
    auto const opened = downloads_->open(owner_, id);
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().fault, Fault::unavailable);
    EXPECT_EQ(damaged_.back(), (Damage{id, 3, size}));
  }
}

} // namespace vitrine::service
