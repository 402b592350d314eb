#include "store/s3/xml.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace vitrine::store::s3 {
namespace {

constexpr std::string_view kList =
    "<?xml version=\"1.0\"?>\n<List xmlns=\"http://x/\"><KeyCount>2</KeyCount>"
    "<Contents><Key>a&amp;b&lt;&gt;&quot;&apos;&#x;</Key><Size>1</Size></Contents>"
    "<Contents><Key/><Size>20</Size></Contents><IsTruncated>true</IsTruncated></List>";

} // namespace

TEST(Xml, FindsEachElement) {
  std::vector<std::string> sizes;
  each_element(kList, "Contents",
               [&](std::string_view inner) { sizes.push_back(text_in(inner, "Size")); });
  EXPECT_EQ(sizes, (std::vector<std::string>{"1", "20"}));
}

TEST(Xml, ReadsTexts) {
  EXPECT_EQ(text_in(kList, "IsTruncated"), "true");
  EXPECT_EQ(text_in(kList, "Key"), "a&b<>\"'&#x;") << "KeyCount is another element";
  EXPECT_EQ(text_in(kList, "List"), text_in("<L>" + std::string(kList) + "</L>", "List"));
  EXPECT_EQ(text_in(kList, "Absent"), "");
  EXPECT_EQ(text_in("<a><b/></a>", "b"), "");
}

TEST(Xml, TellsWhetherAnElementIsThere) {
  EXPECT_TRUE(has_element(kList, "List"));
  EXPECT_TRUE(has_element("<a><b/></a>", "b"));
  EXPECT_FALSE(has_element(kList, "Count")) << "KeyCount is another element";
  EXPECT_FALSE(has_element("<Key>half", "Key"));
}

TEST(Xml, StandsWhatIsCutOff) {
  for (std::size_t length = 0; length < kList.size(); ++length) {
    int count = 0;
    each_element(kList.substr(0, length), "Contents", [&](std::string_view) { ++count; });
    EXPECT_LE(count, 2);
  }
  EXPECT_EQ(text_in("<Key", "Key"), "");
  EXPECT_EQ(text_in("<Key>half", "Key"), "");
}

} // namespace vitrine::store::s3
