#include "api/kit/router.hpp"

#include <gtest/gtest.h>

namespace vitrine::api {
namespace {

Endpoint at(std::string_view path) {
  Spec const spec{.verb = Verb::get,
                  .path = path,
                  .name = path,
                  .family = &image_family,
                  .summary = "A place."};
  return plain_endpoint(spec,
                        [](Context&, Services&) -> Result<Reply> { return empty_reply(204); });
}

class RouterTest : public ::testing::Test {
protected:
  /// The template that a path leads to, and what its parameters hold; else why it leads nowhere.
  std::string find(std::string_view path) const {
    auto const found = router_.find("GET", path);
    if (auto const* miss = std::get_if<Miss>(&found)) {
      return miss->why == Miss::Why::malformed ? "malformed" : "none";
    }
    auto const& match = std::get<Match>(found);
    std::string text(endpoints_[match.endpoint].spec.path);
    for (auto const& [name, value] : match.path)
      text += " " + value;
    return text;
  }

  std::vector<Endpoint> const endpoints_{at("/v2/images"), at("/v2/images/{image_id}"),
                                         at("/v2/images/{image_id}/file"),
                                         at("/v2/images/{image_id}/tags/{tag}")};
  Router const router_{endpoints_};
};

TEST_F(RouterTest, Literals_are_decoded_too) {
  EXPECT_EQ(find("/v2/%69mages"), "/v2/images");
  EXPECT_EQ(find("/%76%32/images/a/%66il%65"), "/v2/images/{image_id}/file a");
  EXPECT_EQ(find("/v2%2E17/images"), "/v2/images");
  EXPECT_EQ(find("/v2/Images"), "none");
}

TEST_F(RouterTest, An_encoded_slash_separates_nothing) {
  EXPECT_EQ(find("/v2%2Fimages"), "none");
  EXPECT_EQ(find("/v2/images%2Fa"), "none");
  EXPECT_EQ(find("/v2/images/a%2Ffile"), "/v2/images/{image_id} a/file");
  EXPECT_EQ(find("/v2/images/a/tags/a%20b%2fc"), "/v2/images/{image_id}/tags/{tag} a a b/c");
}

TEST_F(RouterTest, A_segment_is_decoded_once) {
  EXPECT_EQ(find("/v2/%2569mages"), "none");
  EXPECT_EQ(find("/v2/images/%2561"), "/v2/images/{image_id} %61");
}

TEST_F(RouterTest, What_is_no_text_is_malformed) {
  for (std::string_view const segment : {"%", "%4", "%zz", "%00", "%ff", "a%C3"})
    EXPECT_EQ(find(std::string("/v2/images/").append(segment)), "malformed") << segment;
  EXPECT_EQ(find("/v2/images%"), "none");
}

} // namespace
} // namespace vitrine::api
