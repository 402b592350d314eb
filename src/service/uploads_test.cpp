#include "service/image_data_test.hpp"

namespace vitrine::service {
namespace {

using model::ImageStatus;

std::string const kQcow2Magic("QFI\xfb\0\0\0\3", 8);

class UploadsTest : public ImageDataTest {};

} // namespace

TEST_F(UploadsTest, makes_a_queued_image_active) {
  auto const id = make([](auto& image) { image.upload_error = "an earlier failure"; });
  auto const upload = begin(id, {.size_bytes = 3, .content_length = 3});
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  EXPECT_EQ(get(id).upload_error, "");
  clock_.advance(kMicrosecondsPerSecond);
  ASSERT_TRUE(write(*upload, "a"));
  ASSERT_TRUE(write(*upload, "bc"));
  ASSERT_TRUE(upload->finish());

  auto const image = get(id);
  EXPECT_EQ(image.status, ImageStatus::active);
  EXPECT_EQ(image.size_bytes, 3);
  EXPECT_EQ(image.checksum, kMd5OfAbc);
  EXPECT_EQ(image.hash_value, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(image.virtual_size_bytes, 3);
  EXPECT_EQ(image.active_at, kTestStart + kMicrosecondsPerSecond);
  EXPECT_EQ(image.updated_at, kTestStart + kMicrosecondsPerSecond);
  EXPECT_EQ(image.upload_id, "");
  EXPECT_EQ(events(), 1U);

  auto const download = downloads_->open(owner_, id);
  ASSERT_TRUE(download && *download);
  EXPECT_EQ((*download)->data->size_bytes(), 3U);
  EXPECT_EQ((*download)->checksum, kMd5OfAbc);
}

TEST_F(UploadsTest, no_bytes_make_an_image_of_size_0) {
  auto const id = make([](auto& image) { image.disk_format = "qcow2"; });
  ASSERT_TRUE(begin(id)->finish());
  EXPECT_EQ(get(id).status, ImageStatus::active);
  EXPECT_EQ(get(id).size_bytes, 0);
  EXPECT_EQ(get(id).checksum, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(get(id).disk_format, "qcow2");
}

TEST_F(UploadsTest, takes_the_disk_format_from_the_bytes) {
  auto const id = make([](auto& image) { image.disk_format.reset(); });
  ASSERT_TRUE(put(id, "just some bytes"));
  EXPECT_EQ(get(id).disk_format, "raw");
}

TEST_F(UploadsTest, wants_formats_to_be_set) {
  auto const bare = make([](auto& image) { image.container_format.reset(); });
  auto const refused = uploads_->begin(owner_, bare, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::invalid_value);
  EXPECT_EQ(refused.error().field, "container_format");
  expect_queued(bare, "");

  build({.size_bytes_max = kTestSizeMax, .detects_disk_format = false});
  auto const raw = make([](auto& image) { image.disk_format.reset(); });
  EXPECT_EQ(begin_fault(owner_, raw), Fault::invalid_value);
  expect_queued(raw, "");
}

TEST_F(UploadsTest, is_for_those_who_may) {
  auto const hidden = make();
  auto const open = make([](auto& image) { image.visibility = model::Visibility::public_; });
  auto reader = owner_;
  reader.roles = {"reader"};
  EXPECT_EQ(begin_fault(stranger_, hidden), Fault::image_not_found);
  EXPECT_EQ(begin_fault(stranger_, open), Fault::forbidden);
  EXPECT_EQ(begin_fault(reader, hidden), Fault::forbidden);
  EXPECT_EQ(begin_fault(owner_, {new_uuid()}), Fault::image_not_found);
  expect_queued(hidden, "");
}

TEST_F(UploadsTest, wants_a_queued_image) {
  for (auto const status : {ImageStatus::saving, ImageStatus::active, ImageStatus::deactivated,
                            ImageStatus::importing}) {
    auto const id = make([&](auto& image) { image.status = status; });
    auto const refused = uploads_->begin(owner_, id, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::wrong_status);
    EXPECT_EQ(refused.error().detail, "Image status transition from " +
                                          std::string(name_of(status)) +
                                          " to saving is not allowed");
  }
}

TEST_F(UploadsTest, one_of_two_wins) {
  auto const id = make();
  auto const first = begin(id);
  EXPECT_EQ(begin_fault(owner_, id), Fault::wrong_status);
  ASSERT_TRUE(write(*first, "first"));
  ASSERT_TRUE(first->finish());
  EXPECT_EQ(get(id).size_bytes, 5);
}

TEST_F(UploadsTest, holds_clients_to_what_they_announce) {
  auto const id = make();
  EXPECT_EQ(begin_fault(owner_, id, {.size_bytes = 5, .content_length = 3}), Fault::invalid_value);
  expect_queued(id, "");

  auto upload = begin(id, {.size_bytes = 5, .content_length = {}});
  ASSERT_TRUE(write(*upload, "abc"));
  auto const fewer = upload->finish();
  ASSERT_FALSE(fewer);
  EXPECT_EQ(fewer.error().fault, Fault::invalid_value);
  expect_queued(id, "The announced size is 5 bytes, but 3 were sent.");

  upload = begin(id, {.size_bytes = 2, .content_length = {}});
  auto const more = write(*upload, "abc");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().fault, Fault::invalid_value);
  upload->abandon(more.error());
  expect_queued(id, "The announced size is 2 bytes, but more were sent.");
}

TEST_F(UploadsTest, holds_clients_to_the_hashes_they_announce) {
  constexpr std::string_view kSha256OfAbc =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  auto const id = make([](auto& image) { image.disk_format = "qcow2"; });
  auto const other = std::string(64, '0');
  auto upload = begin(id, {.size_bytes = {},
                           .content_length = {},
                           .hashes = {{HashAlgorithm::sha256, std::string(kSha256OfAbc), "A"},
                                      {HashAlgorithm::sha256, other, "B"}}});
  ASSERT_TRUE(write(*upload, "abc"));
  auto const differs = upload->finish();
  ASSERT_FALSE(differs);
  EXPECT_EQ(differs.error().fault, Fault::invalid_value) << "before the format";
  EXPECT_EQ(differs.error().field, "B");
  expect_queued(id, "The SHA-256 of the data is " + std::string(kSha256OfAbc) + ", not " + other +
                        " as B says.");
}

TEST_F(UploadsTest, stops_at_the_largest_size) {
  auto const id = make();
  EXPECT_EQ(begin_fault(owner_, id, {.size_bytes = {}, .content_length = kTestSizeMax + 1}),
            Fault::too_large);
  EXPECT_EQ(begin_fault(owner_, id, {.size_bytes = kTestSizeMax + 1, .content_length = {}}),
            Fault::too_large);
  std::string const most(kTestSizeMax, 'x');
  ASSERT_TRUE(put(id, most));

  auto const other = make();
  auto const upload = begin(other);
  ASSERT_TRUE(write(*upload, most));
  auto const over = write(*upload, "y");
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().fault, Fault::too_large);
}

TEST_F(UploadsTest, refuses_bytes_that_do_not_fit) {
  auto const id = make([](auto& image) { image.disk_format = "qcow2"; });
  auto const text = put(id, "this is no disk");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().fault, Fault::format_mismatch);
  expect_queued(id, text.error().detail);
  expect_failure_told(id, "somebody", Fault::format_mismatch, text.error().detail);

  auto const raw = make();
  auto const disguised = put(raw, kQcow2Magic + std::string(1000, '\0'));
  ASSERT_FALSE(disguised);
  EXPECT_EQ(disguised.error().kind(), Kind::unsupported_media);
  expect_queued(raw, disguised.error().detail);
}

TEST_F(UploadsTest, refuses_a_wrong_format_before_the_end) {
  auto const id = make([](auto& image) { image.disk_format = "vhdx"; });
  auto const upload = begin(id);
  auto const written = write(*upload, "\x1f\x8b\x08" + std::string(100'000, '\0'));
  ASSERT_FALSE(written) << "gzip";
  EXPECT_EQ(written.error().fault, Fault::format_mismatch);
}

TEST_F(UploadsTest, an_upload_that_ends_early_leaves_the_image_queued) {
  auto const id = make();
  {
    auto const upload = begin(id);
    ASSERT_TRUE(write(*upload, std::string(600'000, 'x')));
    EXPECT_EQ(files(), 1U);
    upload->abandon(error(Fault::invalid_body, "the client left"));
    expect_queued(id, "the client left");
    expect_failure_told(id, "somebody", Fault::invalid_body, "the client left");
  }
  expect_queued(id, "the client left");
  {
    auto const dropped = begin(id);
  }
  expect_queued(id, "The upload ended early.");
  EXPECT_EQ(events(), 2U) << "one a failed upload";
  ASSERT_TRUE(put(id, "abc")) << "a retry works";
  EXPECT_EQ(get(id).upload_error, "");
}

TEST_F(UploadsTest, a_deleted_image_takes_no_bytes) {
  auto const id = make();
  auto const upload = begin(id);
  ASSERT_TRUE(write(*upload, "abc"));
  remove(id);
  auto const done = upload->finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::image_gone);
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(events(), 0U);
}

TEST_F(UploadsTest, an_image_deleted_while_bytes_are_made_permanent_takes_none) {
  auto const id = make();
  blobs_->before_commit = [&] { remove(id); };
  auto const done = put(id, "abc");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::image_gone);
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadsTest, a_lost_upload_does_not_touch_its_successor) {
  auto const id = make();
  auto const lost = begin(id);
  ASSERT_TRUE(write(*lost, "lost"));
  change(id, [](auto& image) { // as recovery by another process would
    image.status = ImageStatus::queued;
    image.upload_id.clear();
  });
  auto const next = begin(id);
  ASSERT_TRUE(write(*next, "next one"));
  auto const done = lost->finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::image_gone);
  EXPECT_EQ(get(id).status, ImageStatus::saving);
  ASSERT_TRUE(next->finish());
  EXPECT_EQ(get(id).size_bytes, 8);
}

TEST_F(UploadsTest, keeps_changes_made_meanwhile) {
  auto const id = make();
  auto const upload = begin(id);
  change(id, [](auto& image) {
    image.name = "renamed";
    image.tags_json = R"(["t"])";
    image.visibility = model::Visibility::community;
  });
  ASSERT_TRUE(upload->finish());
  EXPECT_EQ(get(id).name, "renamed");
  EXPECT_EQ(get(id).tags_json, R"(["t"])");
  EXPECT_EQ(get(id).visibility, model::Visibility::community);
  EXPECT_EQ(get(id).status, ImageStatus::active);
}

} // namespace vitrine::service
