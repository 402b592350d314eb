#include "service/access.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace vitrine::service {
namespace {

using model::MemberStatus;
using model::Visibility;

class OwnerRule : public testing::Test {
protected:
  OwnerRule() {
    image_.id = {"6c1f8a52-7a3e-4a55-8f0e-1c52a1f7be01"};
    image_.owner = {"owner"};
  }

  std::string judge(std::string project, Visibility visibility,
                    std::optional<MemberStatus> membership = {}, bool is_admin = false) {
    model::Caller caller;
    caller.project = {std::move(project)};
    caller.roles = {is_admin ? "admin" : "member", "reader"};
    caller.is_admin = is_admin;
    image_.visibility = visibility;
    auto const judged = access_.require_owned(caller, {image_, membership});
    return judged ? "owned" : std::string(name_of(judged.error().fault));
  }

  model::Image image_;
  Access access_{policy::Policy::load(policy::defaults()).value()};
};

TEST_F(OwnerRule, OwnerAndAdministratorPassWhateverTheVisibility) {
  for (auto const visibility :
       {Visibility::private_, Visibility::shared, Visibility::community, Visibility::public_}) {
    EXPECT_EQ(judge("owner", visibility), "owned");
    EXPECT_EQ(judge("other", visibility, std::nullopt, true), "owned");
  }
}

TEST_F(OwnerRule, OthersAreToldNoMoreThanTheySee) {
  EXPECT_EQ(judge("other", Visibility::private_), "image_not_found");
  EXPECT_EQ(judge("other", Visibility::private_, MemberStatus::accepted), "image_not_found")
      << "a member left over from before sees nothing";
  EXPECT_EQ(judge("other", Visibility::shared), "image_not_found");
  EXPECT_EQ(judge("other", Visibility::shared, MemberStatus::rejected), "not_image_owner");
  EXPECT_EQ(judge("other", Visibility::community), "not_image_owner");
  EXPECT_EQ(judge("other", Visibility::public_), "public_of_others");
}

} // namespace
} // namespace vitrine::service
