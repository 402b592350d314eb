#include "model/object_url.hpp"

#include <gtest/gtest.h>

namespace vitrine::model {
namespace {

std::string outcome(std::string const& text) {
  auto const url = parse_object_url(text, "image_url");
  if (url) return url->bucket + " | " + url->object;
  EXPECT_EQ(url.error().field, "image_url") << text;
  EXPECT_TRUE(url.error().detail.starts_with("image_url ")) << url.error().detail;
  return std::string(name_of(url.error().fault));
}

struct Case {
  std::string text;
  std::string outcome;
};

} // namespace

TEST(ObjectUrl, IsReadByItsRules) {
  std::string const longest(1024, 'o');
  std::string const bucket63(63, 'b');
  Case const cases[] = {
      {"images:web.qcow2", "images | web.qcow2"},
      {"a.b-1:dir/with space/ä:b", "a.b-1 | dir/with space/ä:b"},
      {"abc::", "abc | :"},
      {"abc:" + longest, "abc | " + longest},
      {bucket63 + ":x", bucket63 + " | x"},
      {"", "object_url_form"},
      {"images", "object_url_form"},
      {"images/web.qcow2", "object_url_form"},
      {":", "bucket_name_empty"},
      {":web", "bucket_name_empty"},
      {"ab:x", "bucket_name_invalid"},
      {bucket63 + "b:x", "bucket_name_invalid"},
      {"Images:x", "bucket_name_invalid"},
      {"my_images:x", "bucket_name_invalid"},
      {"-images:x", "bucket_name_invalid"},
      {"images.:x", "bucket_name_invalid"},
      {"im..ages:x", "bucket_name_invalid"},
      {"im/ages:x", "bucket_name_invalid"},
      {" images:x", "bucket_name_invalid"},
      {"https://host/images:x", "object_name_invalid"},
      {"images:/x", "object_name_invalid"},
      {"images:.", "object_name_invalid"},
      {"images:..", "object_name_invalid"},
      {"images:./x", "object_name_invalid"},
      {"images:../other/x", "object_name_invalid"},
      {"images:dir/../x", "object_name_invalid"},
      {"images:dir/.", "object_name_invalid"},
      {"images:dir//x", "images | dir//x"},
      {"images:dir/", "images | dir/"},
      {"images:.x/..y/z./...", "images | .x/..y/z./..."},
      {"images:", "object_name_empty"},
      {"images:" + longest + "o", "object_name_too_long"},
      {"images: x", "object_name_invalid"},
      {"images:x ", "object_name_invalid"},
      {"images:x\ny", "object_name_invalid"},
      {std::string("images:x\0y", 10), "object_name_invalid"},
      {"images:x\x7F", "object_name_invalid"},
      {"images:x\xC2\x85y", "object_name_invalid"},
      {"images:x\xC2\xA0y", "images | x\xC2\xA0y"},
      {"images:x\xFFy", "object_name_invalid"},
  };
  for (auto const& expected : cases)
    EXPECT_EQ(outcome(expected.text), expected.outcome) << expected.text;
}

} // namespace vitrine::model
