#include "model/image_texts.hpp"

#include <gtest/gtest.h>

namespace vitrine::model {
namespace {

TEST(DataDiskName, is_a_name_whatever_that_of_the_system_disk_is) {
  EXPECT_EQ(data_disk_name("web", 1), "web-data1");
  EXPECT_EQ(data_disk_name(std::string(122, 'n'), 3), std::string(122, 'n') + "-data3");
  EXPECT_EQ(data_disk_name(std::string(128, 'n'), 3), std::string(122, 'n') + "-data3");
  EXPECT_EQ(data_disk_name(std::string(128, 'n'), 10), std::string(121, 'n') + "-data10");
  std::string wide;
  for (int i = 0; i < 128; ++i)
    wide += "\xe5\x90\x8d";
  EXPECT_EQ(data_disk_name(wide, 1), wide.substr(0, 122 * 3) + "-data1");
  EXPECT_TRUE(check_image_name(data_disk_name(wide, 1)));
}

} // namespace
} // namespace vitrine::model
