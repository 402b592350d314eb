#include "base/yaml.hpp"

#include <gtest/gtest.h>

namespace vitrine::yaml {

namespace {

/// Ten aliases of the line before on each line: 10 to the power of `lines` nodes.
std::string laughs(int lines) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < lines; ++i) {
    auto const before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k)
      text += ", " + before;
    text += "]\n";
  }
  return text;
}

std::string refusal(std::string const& text) {
  auto const root = parse(text);
  return root ? "" : std::to_string(root.error().line) + ": " + root.error().reason;
}

} // namespace

TEST(Yaml, reads_one_document_or_none) {
  EXPECT_TRUE(parse("")->IsNull());
  EXPECT_TRUE(parse("# nothing\n")->IsNull());
  EXPECT_EQ((*parse("a: &x b\nc: *x\n"))["c"].Scalar(), "b");
  EXPECT_EQ((*parse(laughs(3)))["a2"].size(), 10U);
  EXPECT_EQ(refusal("a: b\n---\nc: d\n"), "2: a second document begins");
  EXPECT_EQ(refusal("a: [\n"), "2: end of sequence flow not found");
}

// A fuzzer's find: the second document of this begins again and again.
TEST(Yaml, a_broken_text_is_not_read_for_ever) {
  EXPECT_EQ(refusal("\"x\"z \"rule:y\"\n\"y\x1b@ \",\":[ \"!\"]\n"), "1: a second document begins");
}

TEST(Yaml, a_short_text_does_not_become_a_tree_without_end) {
  EXPECT_EQ(refusal(laughs(9)), "1: more than 100000 nodes");
  EXPECT_EQ(refusal("a: &a " + std::string(400'000, 'x') + "\nb: *a\nc: *a\n"),
            "1: more than 1048576 bytes in all");
  EXPECT_EQ(refusal("a: &a\n  b: *a\n"), "2: nests deeper than 16");
  EXPECT_EQ(refusal(std::string(16, '[') + std::string(16, ']')), "");
  EXPECT_EQ(refusal(std::string(17, '[') + std::string(17, ']')), "1: nests deeper than 16");
  EXPECT_EQ(refusal(std::string(kBytesMax, '#')), "");
  EXPECT_EQ(refusal(std::string(kBytesMax + 1, '#')), "1: longer than 1048576 bytes");
}

} // namespace vitrine::yaml
