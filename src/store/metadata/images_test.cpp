// Who gets which row of an image, and the counts.
#include "store/metadata/engines_test.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/members.hpp"

#include <gtest/gtest.h>
#include <set>
#include <unistd.h>

namespace vitrine::store {
namespace {

using model::Visibility;

constexpr Time kStart{1'700'000'000'000'000};

class ImagesTest : public testing::Test {
protected:
  ImagesTest() {
    auto pattern = (std::filesystem::temp_directory_path() / "vitrine-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    rows_ = std::make_unique<TestStore>(directory_);
    database_ = rows_->open().value();
  }
  ~ImagesTest() override {
    database_.reset();
    rows_.reset();
    std::filesystem::remove_all(directory_);
  }

  ImageId image(Visibility visibility, std::vector<ProjectId> const& members = {}) {
    model::Image made;
    made.id = {new_uuid()};
    made.owner = {"owner"};
    made.visibility = visibility;
    made.created_at = made.updated_at = kStart;
    made.member_count = std::ssize(members);
    EXPECT_TRUE(database_->write([&](Connection& connection) -> Result<> {
      TRY(Images(connection).insert(made));
      TRY(Members(connection).add(made.id, kStart, members, kStart));
      return {};
    }));
    return made.id;
  }

  /// How many rows the statement gives a project for an id, before anything judges them.
  int rows(sql::Statement const& statement, ImageId const& id, std::string_view project,
           bool administers = false) {
    int count = 0;
    EXPECT_TRUE(database_->read_single([&](Connection& connection) {
      return connection.run(statement, {id, project, administers}, [&](Row const&) { ++count; });
    }));
    return count;
  }

  std::filesystem::path directory_;
  std::unique_ptr<TestStore> rows_;
  std::unique_ptr<Database> database_;
};

} // namespace

TEST_F(ImagesTest, no_row_leaves_the_store_for_whom_the_image_is_not_visible) {
  struct Case {
    Visibility visibility;
    std::set<std::string_view> seen_by;
  };
  std::vector<Case> const cases{{Visibility::private_, {"owner"}},
                                {Visibility::shared, {"owner", "member"}},
                                {Visibility::community, {"owner", "member", "stranger", ""}},
                                {Visibility::public_, {"owner", "member", "stranger", ""}}};
  for (auto const& [visibility, seen_by] : cases) {
    auto const id = image(visibility, {{"member"}});
    for (auto const& statement : {sql::get_visible_image, sql::is_image_visible}) {
      for (std::string_view const project : {"owner", "member", "stranger", ""}) {
        EXPECT_EQ(rows(statement, id, project), seen_by.contains(project) ? 1 : 0)
            << statement.name << " of a " << name_of(visibility) << " image for " << project;
      }
      EXPECT_EQ(rows(statement, id, "stranger", true), 1) << statement.name;
      EXPECT_EQ(rows(statement, {new_uuid()}, "owner", true), 0) << statement.name;
    }
  }
}

TEST_F(ImagesTest, what_is_found_comes_with_the_membership_of_the_caller) {
  auto const id = image(Visibility::shared, {{"member"}, {"another"}});
  model::Caller caller;
  auto const look = [&] {
    return database_->read_single(
        [&](Connection& connection) { return Images(connection).get_for(id, caller); });
  };
  caller.project = {"member"};
  auto const member = look();
  ASSERT_TRUE(member);
  EXPECT_EQ(member->image.id, id);
  EXPECT_EQ(member->image.owner.text, "owner");
  EXPECT_EQ(member->membership, model::MemberStatus::pending);
  caller.project = {"owner"};
  auto const owner = look();
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->membership, std::nullopt);
  caller.project = {"stranger"};
  auto const stranger = look();
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().fault, Fault::image_not_found);
  EXPECT_EQ(stranger.error().detail, id.text);
}

TEST_F(ImagesTest, counts_what_an_owner_has_and_shares) {
  image(Visibility::private_);
  image(Visibility::shared, {{"a"}, {"b"}, {"c"}});
  image(Visibility::shared, {{"a"}});
  auto const counted = database_->read([](Connection& connection) -> Result<std::vector<int>> {
    Images images(connection);
    std::vector<int> out;
    for (auto const* owner : {"owner", "nobody"}) {
      out.push_back(static_cast<int>(TRY(images.count_owned({owner}))));
      out.push_back(static_cast<int>(TRY(images.most_members({owner}))));
    }
    return out;
  });
  ASSERT_TRUE(counted);
  EXPECT_EQ(*counted, (std::vector<int>{3, 3, 0, 0}));
}

} // namespace vitrine::store
