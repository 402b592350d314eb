#include "model/image_stores.hpp"

#include <gtest/gtest.h>

namespace vitrine::model {

TEST(ImageStores, an_id_says_where_its_bytes_lie) {
  BlobId const plain{"0123456789abcdef0123456789abcdef"};
  EXPECT_EQ(store_of(plain), "");
  EXPECT_EQ(id_in_store(plain), plain);
  EXPECT_EQ(id_in_service(plain, ""), plain);
  BlobId const fast{"0123456789abcdef0123456789abcdef@fast-1"};
  EXPECT_EQ(id_in_service(plain, "fast-1"), fast);
  EXPECT_EQ(store_of(fast), "fast-1");
  EXPECT_EQ(id_in_store(fast), plain);
  auto const made = new_blob_id("fast-1");
  EXPECT_TRUE(is_job_id(id_in_store(made).text)) << "of the same form";
  EXPECT_EQ(store_of(made), "fast-1");
  EXPECT_NE(new_blob_id("fast-1"), made);
  EXPECT_TRUE(is_job_id(new_blob_id("").text));
}

TEST(ImageStores, one_store_is_no_choice) {
  ImageStores const one;
  EXPECT_FALSE(one.several());
  EXPECT_EQ(one.by_default().key, "");
}

TEST(ImageStores, are_found_by_what_clients_and_ids_call_them) {
  ImageStores const stores(
      {{.name = "main", .driver = "file"}, {.key = "fast", .name = "fast", .driver = "s3"}},
      "fast");
  EXPECT_TRUE(stores.several());
  EXPECT_EQ(stores.by_default().name, "fast");
  EXPECT_EQ(stores.named("main")->key, "");
  EXPECT_EQ(stores.named(""), nullptr);
  EXPECT_EQ(stores.with_key("")->name, "main");
  EXPECT_EQ(stores.with_key("main"), nullptr) << "ids never name the first store";
  EXPECT_EQ(stores.name_of_store({"0123"}), "main");
  EXPECT_EQ(stores.name_of_store({"0123@fast"}), "fast");
  EXPECT_EQ(stores.name_of_store({"0123@gone"}), "gone");
}

} // namespace vitrine::model
