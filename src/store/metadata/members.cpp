#include "store/metadata/members.hpp"

namespace vitrine::store {
namespace {

model::Member row_to_member(Row const& row) {
  return {.image = row.id<ImageId>(0),
          .project = row.id<ProjectId>(1),
          .status = model::member_status_named(row.text(2)).value(),
          .created_at = row.time(3),
          .updated_at = row.time(4)};
}

} // namespace

Result<std::optional<model::Member>> Members::find(ImageId const& image, ProjectId const& project) {
  std::optional<model::Member> member;
  TRY(connection_.run(sql::get_member, {image, project},
                      [&](Row const& row) { member = row_to_member(row); }));
  return member;
}

Result<std::vector<model::Member>> Members::of(ImageId const& image) {
  std::vector<model::Member> out;
  TRY(connection_.run(sql::list_members, {image},
                      [&](Row const& row) { out.push_back(row_to_member(row)); }));
  return out;
}

Result<bool> Members::add(ImageId const& image, Time image_created_at, ProjectId const& project,
                          Time now) {
  auto const added = TRY(connection_.run(sql::add_member, {image, project, now, image_created_at}));
  return added > 0;
}

Result<> Members::set_status(ImageId const& image, ProjectId const& project,
                             model::MemberStatus status, Time now) {
  TRY(connection_.run(sql::set_member_status, {image, project, name_of(status), now}));
  return {};
}

Result<bool> Members::remove(ImageId const& image, ProjectId const& project) {
  auto const removed = TRY(connection_.run(sql::remove_member, {image, project}));
  return removed > 0;
}

} // namespace vitrine::store
