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

Result<std::int64_t> Members::add(ImageId const& image, Time image_created_at,
                                  std::span<ProjectId const> projects, Time now) {
  return connection_.run_each(sql::add_member, rows_for(projects, [&](ProjectId const& project) {
                                return Params{image, project, now, image_created_at};
                              }));
}

Result<> Members::set_status(ImageId const& image, std::span<ProjectId const> projects,
                             model::MemberStatus status, Time now) {
  auto const rows = rows_for(projects, [&](ProjectId const& project) {
    return Params{image, project, name_of(status), now};
  });
  TRY(connection_.run_each(sql::set_member_status, rows));
  return {};
}

Result<std::int64_t> Members::remove(ImageId const& image, std::span<ProjectId const> projects) {
  return connection_.run_each(sql::remove_member, rows_for(projects, [&](ProjectId const& project) {
                                return Params{image, project};
                              }));
}

} // namespace vitrine::store
