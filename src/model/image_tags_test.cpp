#include "base/text.hpp"
#include "model/image_tags.hpp"

#include <gtest/gtest.h>

namespace vitrine::model {
namespace {

using Texts = std::vector<std::string>;

std::string umlauts(std::size_t count) {
  std::string out;
  while (count-- > 0)
    out += "ä";
  return out;
}

// "key|value" of the tags, or the name of the fault.
std::string told(Result<std::vector<Tag>> const& tags) {
  if (!tags) return std::string(name_of(tags.error().fault));
  std::string out;
  for (auto const& tag : *tags)
    out += (out.empty() ? "" : " ") + tag.key + "|" + tag.value;
  return out;
}

std::string put(Texts texts, std::vector<Tag> const& tags) {
  auto const done = put_tags(texts, tags);
  if (!done) return std::string(name_of(done.error().fault));
  std::string out;
  for (auto const& text : texts)
    out += (out.empty() ? "" : " ") + text;
  return out;
}

TEST(ImageTags, AStringIsSplitAtItsFirstEqualsSign) {
  struct Row {
    std::string text, key, value;
  };
  for (auto const& row :
       {Row{"env=prod", "env", "prod"}, Row{"golden", "golden", ""}, Row{"a=b=c", "a", "b=c"},
        Row{"k=", "k", ""}, Row{"=v", "", "v"}, Row{"a.b", "a.b", ""}, Row{"", "", ""}}) {
    EXPECT_EQ(tag_of(row.text), (Tag{row.key, row.value})) << row.text;
  }
  EXPECT_EQ(text_of({"env", "prod"}), "env=prod");
  EXPECT_EQ(text_of({"golden", ""}), "golden");
  EXPECT_EQ(told(tags_of(Texts{"b=2", "a-b", "b", "a=x", "b=", "b=10"})), "a|x a-b| b| b|10 b|2");
}

TEST(ImageTags, ARequestsStringMayUseADot) {
  struct Row {
    std::string text, key, value;
  };
  for (auto const& row :
       {Row{"env.prod", "env", "prod"}, Row{"env.prod.eu", "env", "prod.eu"},
        Row{"env=prod", "env", "prod"}, Row{"a.b=c", "a.b", "c"}, Row{"a=b.c", "a", "b.c"},
        Row{"golden", "golden", ""}, Row{"golden.", "golden", ""}, Row{".prod", "", "prod"}}) {
    EXPECT_EQ(parse_tag(row.text), (Tag{row.key, row.value})) << row.text;
  }
}

TEST(ImageTags, NewTagsAreCheckedWithoutTheSpacesAround) {
  struct Row {
    std::vector<Tag> asked;
    std::string outcome;
  };
  for (auto const& row : std::vector<Row>{
           {{}, ""},
           {{{" env ", "  pr od "}}, "env|pr od"},
           {{{"a b/c.d", "x=y"}}, "a b/c.d|x=y"},
           {{{"  ", "x"}}, "tag_form"},
           {{{"", ""}}, "tag_form"},
           {{{umlauts(36), umlauts(43)}}, umlauts(36) + "|" + umlauts(43)},
           {{{"  " + umlauts(36) + "  ", ""}}, umlauts(36) + "|"},
           {{{umlauts(37), ""}}, "tag_form"},
           {{{"k", umlauts(44)}}, "tag_form"},
           {{{"a=b", ""}}, "tag_form"},
           {{{"a\tb", ""}}, "tag_form"},
           {{{"\ta", ""}}, "tag_form"},
           {{{"a", "x\n"}}, "tag_form"},
           {{{"a", "\xC2\x85"}}, "tag_form"},
           {{{"a", "\x7F"}}, "tag_form"},
           {{{"a", "1"}, {"A", "1"}}, "a|1 A|1"},
           {{{"a", "1"}, {" a", "2"}}, "tag_form"},
       }) {
    EXPECT_EQ(told(check_new_tags(row.asked)), row.outcome);
  }
}

TEST(ImageTags, TagsToRemoveHaveWiderLimits) {
  auto const judge = [](std::vector<Tag> const& asked) {
    auto const keys = check_old_tags(asked);
    return keys ? std::to_string(keys->size()) : std::string(name_of(keys.error().fault));
  };
  EXPECT_EQ(judge({{umlauts(127), umlauts(255)}, {"a\tb", ""}}), "2");
  EXPECT_EQ(judge({{umlauts(128), ""}}), "tag_form");
  EXPECT_EQ(judge({{"k", umlauts(256)}}), "tag_form");
  EXPECT_EQ(judge({{"", "x"}}), "tag_form");
  EXPECT_EQ(judge({{"k", "1"}, {"k", "2"}}), "tag_form");
  EXPECT_EQ(judge({}), "0");
}

TEST(ImageTags, APutReplacesEveryStringOfTheKey) {
  EXPECT_EQ(put({"env=a", "x", "env", "env=", "env2=a"}, {{"env", "b"}}), "x env2=a env=b");
  EXPECT_EQ(put({"env=b", "x"}, {{"env", "b"}}), "env=b x");
  EXPECT_EQ(put({"env=b"}, {{"env", ""}, {"n", "1"}}), "env n=1");
}

TEST(ImageTags, TenAreLeftAfterAPut) {
  Texts const nine{"1", "2", "3", "4", "5", "6", "7", "8", "9"};
  EXPECT_EQ(put(nine, {{"a", ""}}), "1 2 3 4 5 6 7 8 9 a");
  EXPECT_EQ(put(nine, {{"a", ""}, {"b", ""}}), "tag_limit");
  auto twelve = nine;
  twelve.insert(twelve.end(), {"x=1", "y", "z"});
  EXPECT_EQ(put(twelve, {{"x", "2"}}), "tag_limit");
  EXPECT_EQ(put(twelve, {{"x", "1"}}), "1 2 3 4 5 6 7 8 9 x=1 y z") << "no change";
}

TEST(ImageTags, AKeyIsRemovedWithAllItsValues) {
  Texts texts{"env=a", "x", " env ", "env=b", "env2"};
  EXPECT_EQ(remove_key(texts, "env"), 2U);
  EXPECT_EQ(texts, (Texts{"x", " env ", "env2"}));
  EXPECT_EQ(remove_key(texts, "env"), 0U);
  EXPECT_EQ(remove_key(texts, " env "), 1U);
  EXPECT_EQ(remove_key(texts, "  x"), 1U);
  EXPECT_EQ(texts, (Texts{"env2"}));
}

TEST(ImageTags, QueriesAreBounded) {
  auto const judge = [](std::vector<KeyCondition> const& conditions) {
    auto const checked = check_conditions(conditions);
    return checked ? std::string("fine") : std::string(name_of(checked.error().fault));
  };
  std::vector<KeyCondition> many;
  for (int i = 0; i < 10; ++i) {
    many.push_back({std::to_string(i), {}});
    for (int j = 0; j < 10; ++j)
      many.back().values.push_back(std::to_string(j));
  }
  EXPECT_EQ(judge(many), "fine");
  auto more = many;
  more[3].values.emplace_back("x");
  EXPECT_EQ(judge(more), "tag_form");
  many.push_back({"x", {}});
  EXPECT_EQ(judge(many), "tag_form");
  EXPECT_EQ(judge({{umlauts(128), {umlauts(255)}}}), "fine");
  EXPECT_EQ(judge({{umlauts(129), {}}}), "tag_form");
  EXPECT_EQ(judge({{"", {}}}), "tag_form");
  EXPECT_EQ(judge({{"k", {umlauts(256)}}}), "tag_form");
  EXPECT_EQ(judge({{"k", {}}, {"k", {"v"}}}), "tag_form");
  EXPECT_EQ(judge({{"k", {"v", "v"}}}), "tag_form");
}

TEST(ImageTags, AQueryFits) {
  std::vector<Tag> const tags{{"env", "prod"}, {"golden", ""}};
  KeyCondition const prod{"env", {"test", "prod"}}, test{"env", {"test"}}, env{"env", {}},
      golden{"golden", {""}}, none{"other", {}};
  struct Row {
    TagQuery query;
    bool fits;
  };
  for (auto const& row : std::vector<Row>{
           {{}, true},
           {{.all = {prod, golden, env}}, true},
           {{.all = {prod, none}}, false},
           {{.any = {none, test, golden}}, true},
           {{.any = {none, test}}, false},
           {{.not_all = {prod, golden}}, false},
           {{.not_all = {prod, none}}, true},
           {{.not_any = {none, golden}}, false},
           {{.not_any = {none, test}}, true},
           {{.all = {env}, .not_any = {test}}, true},
           {{.all = {env}, .not_any = {prod}}, false},
           {{.all = {none}, .without_tags = true}, false},
       }) {
    EXPECT_EQ(fits(row.query, tags), row.fits);
  }
  EXPECT_TRUE(fits({.all = {none}, .without_tags = true}, {}));
  EXPECT_TRUE(fits({.not_all = {env}}, {}));
  EXPECT_FALSE(fits({.any = {env}}, {}));
}

} // namespace
} // namespace vitrine::model
