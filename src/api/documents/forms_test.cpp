#include "api/documents/attributes.hpp"
#include "api/documents/extension.hpp"
#include "base/json.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace vitrine::api::documents {
namespace {

std::string told(Form form, std::string_view text) {
  auto const wrong = misfit(form, text);
  return wrong ? std::string(name_of(wrong->fault)) : "fits";
}

std::string text_of_value(std::string_view name, std::string_view json_text) {
  auto const text = extension_text(name, json::parse(json_text).value());
  return text ? *text : std::string(name_of(text.error().fault));
}

TEST(Forms, NamesHaveLettersAndDigitsOfAnyScript) {
  for (auto const* name : {"a", "web-base_2.0", "a b", "名前", "Ünï", "सर्वर", "сервер ١"}) {
    EXPECT_EQ(told(Form::name, name), "fits") << name;
  }
  for (auto const* name : {" a", "a ", "a/b", "a\tb",
                           "a\xC2\xA0"
                           "b",
                           "a\xE2\x80\x83"
                           "b",
                           "\xF0\x9F\x99\x82",
                           "\xE2\x80\xAE"
                           "a",
                           "a\xEF\xBF\xBD"}) {
    EXPECT_EQ(told(Form::name, name), "name_form") << name;
  }
  EXPECT_EQ(told(Form::name, ""), "name_missing");
  std::string longest;
  for (int i = 0; i < 128; ++i)
    longest += "\xF0\xA0\x80\x80"; // four bytes each
  EXPECT_EQ(told(Form::name, longest), "fits");
  EXPECT_EQ(told(Form::name, longest + "a"), "name_too_long");
}

TEST(Forms, NumbersHaveBounds) {
  EXPECT_EQ(told(Form::memory, "1048576"), "fits");
  EXPECT_EQ(told(Form::memory, "1048577"), "memory_or_disk_size");
  EXPECT_EQ(told(Form::disk, "2048"), "fits");
  for (auto const* text : {"2049", "", "-1", "+1", "1.0", " 1", "1e3", "9999999999999999999999"}) {
    EXPECT_EQ(told(Form::disk, text), "memory_or_disk_size") << text;
  }
  EXPECT_EQ(told(Form::digits, "9999999999999999999999"), "invalid_value");
}

TEST(Extension, ValuesAreReadAsTextWhereTheyMayBe) {
  EXPECT_EQ(text_of_value("max_ram", "4096"), "4096");
  EXPECT_EQ(text_of_value("max_ram", R"("4096")"), "4096");
  EXPECT_EQ(text_of_value("max_ram", "4096.5"), "memory_or_disk_size");
  EXPECT_EQ(text_of_value("max_ram", "false"), "memory_or_disk_size");
  EXPECT_EQ(text_of_value("__support_xen", "true"), "true");
  EXPECT_EQ(text_of_value("__support_xen", R"("FALSE")"), "false");
  EXPECT_EQ(text_of_value("__support_xen", "1"), "invalid_value");
  EXPECT_EQ(text_of_value("__image_displayname", "7"), "7");
  EXPECT_EQ(text_of_value("__image_displayname", "{}"), "invalid_value");
  EXPECT_EQ(text_of_value("__os_feature_list", R"("{\"a\":[]}")"), R"({"a":[]})");
  EXPECT_EQ(text_of_value("__os_feature_list", R"("{")"), "invalid_value");
  EXPECT_EQ(text_of_value("name", "7"), "name_not_text");
  EXPECT_EQ(text_of_value("mine", "true"), "invalid_value");
  EXPECT_EQ(text_of_value("hw_firmware_type", "true"), "invalid_value");
}

TEST(Attributes, EachNameHasOneRow) {
  std::set<std::string_view> seen;
  for (auto const& attribute : attributes())
    EXPECT_TRUE(seen.insert(attribute.name).second) << attribute.name;
}

} // namespace
} // namespace vitrine::api::documents
