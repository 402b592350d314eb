#include "store/metadata/images.hpp"

#include "store/metadata/terms.hpp"

#include <algorithm>
#include <iterator>

namespace vitrine::store {
namespace {

// Writes or deletes terms of an image, as the statement does.
Result<> each_term(Connection& connection, sql::Statement const& statement,
                   model::Image const& image, std::vector<std::int64_t> const& terms) {
  auto const rows =
      rows_for(terms, [&](std::int64_t term) { return Params{term, image.created_at, image.id}; });
  TRY(connection.run_each(statement, rows));
  return {};
}

// Terms of `a` that are not terms of `b`; both sorted.
std::vector<std::int64_t> only_in(std::vector<std::int64_t> const& a,
                                  std::vector<std::int64_t> const& b) {
  std::vector<std::int64_t> out;
  std::ranges::set_difference(a, b, std::back_inserter(out));
  return out;
}

bool same_terms(model::Image const& a, model::Image const& b) {
  return a.owner == b.owner && a.visibility == b.visibility && a.hidden == b.hidden &&
         a.properties_json == b.properties_json && a.tags_json == b.tags_json;
}

Result<> update_terms(Connection& connection, model::Image const& before,
                      model::Image const& after) {
  if (same_terms(before, after)) return {};
  auto const old_terms = terms_of(before);
  auto const new_terms = terms_of(after);
  TRY(each_term(connection, sql::delete_image_term, after, only_in(old_terms, new_terms)));
  return each_term(connection, sql::insert_image_term, after, only_in(new_terms, old_terms));
}

std::optional<std::string_view> text_or_null(BlobId const& id) {
  return id.empty() ? std::nullopt : std::optional<std::string_view>(id.text);
}

} // namespace

model::Image row_to_image(Row const& row) {
  model::Image image;
  image.id = row.id<ImageId>(0);
  image.owner = row.id<ProjectId>(1);
  image.name = row.maybe_string(2);
  image.status = model::status_named(row.text(3)).value();
  image.visibility = model::visibility_named(row.text(4)).value();
  image.auto_shared = row.flag(5);
  image.is_protected = row.flag(6);
  image.hidden = row.flag(7);
  image.deactivated_by_admin = row.flag(8);
  image.disk_format = row.maybe_string(9);
  image.container_format = row.maybe_string(10);
  image.min_disk_gib = row.integer(11);
  image.min_ram_mib = row.integer(12);
  image.size_bytes = row.maybe_integer(13);
  image.virtual_size_bytes = row.maybe_integer(14);
  image.checksum = row.maybe_string(15);
  image.hash_value = row.maybe_string(16);
  image.blob = row.id<BlobId>(17);
  image.created_at = row.time(18);
  image.updated_at = row.time(19);
  image.active_at = row.maybe_time(20);
  image.properties_json = row.string(21);
  image.tags_json = row.string(22);
  image.member_count = row.integer(23);
  image.upload_id = row.string(24);
  image.upload_error = row.string(25);
  return image;
}

Result<std::optional<model::Image>> Images::find(ImageId const& id) {
  std::optional<model::Image> image;
  TRY(connection_.run(sql::get_image, {id}, [&](Row const& row) { image = row_to_image(row); }));
  return image;
}

Result<model::Image> Images::get(ImageId const& id) {
  auto image = TRY(find(id));
  if (!image) return error(Fault::image_not_found, id.text);
  return std::move(*image);
}

Result<bool> Images::is_visible(ImageId const& id, model::Caller const& caller) {
  bool visible = false;
  TRY(connection_.run(sql::is_image_visible, {id, caller.project, caller.is_admin},
                      [&](Row const&) { visible = true; }));
  return visible;
}

Result<ImageForCaller> Images::get_for(ImageId const& id, model::Caller const& caller) {
  std::optional<ImageForCaller> found;
  TRY(connection_.run(
      sql::get_visible_image, {id, caller.project, caller.is_admin}, [&](Row const& row) {
        found.emplace(row_to_image(row), model::member_status_named(row.text(kImageColumns)));
      }));
  if (!found) return error(Fault::image_not_found, id.text);
  return std::move(*found);
}

Result<> Images::insert(model::Image const& image) {
  bool deleted = false;
  TRY(connection_.run(sql::was_image_deleted, {image.id}, [&](Row const&) { deleted = true; }));
  if (deleted) return error(Fault::image_exists, image.id.text);
  auto const inserted = connection_.run(sql::insert_image, {image.id,
                                                            image.owner,
                                                            image.name,
                                                            name_of(image.status),
                                                            name_of(image.visibility),
                                                            image.auto_shared,
                                                            image.is_protected,
                                                            image.hidden,
                                                            image.deactivated_by_admin,
                                                            image.disk_format,
                                                            image.container_format,
                                                            image.min_disk_gib,
                                                            image.min_ram_mib,
                                                            image.size_bytes,
                                                            image.virtual_size_bytes,
                                                            image.checksum,
                                                            image.hash_value,
                                                            text_or_null(image.blob),
                                                            image.created_at,
                                                            image.updated_at,
                                                            image.active_at,
                                                            image.properties_json,
                                                            image.tags_json,
                                                            image.member_count,
                                                            image.upload_id,
                                                            image.upload_error});
  if (!inserted) {
    if (inserted.error().fault != Fault::conflict) return Error(inserted.error());
    return error(Fault::image_exists, image.id.text);
  }
  return each_term(connection_, sql::insert_image_term, image, terms_of(image));
}

Result<> Images::update(model::Image const& before, model::Image const& after) {
  TRY(connection_.run(sql::update_image, {after.id,
                                          after.owner,
                                          after.name,
                                          name_of(after.status),
                                          name_of(after.visibility),
                                          after.auto_shared,
                                          after.is_protected,
                                          after.hidden,
                                          after.deactivated_by_admin,
                                          after.disk_format,
                                          after.container_format,
                                          after.min_disk_gib,
                                          after.min_ram_mib,
                                          after.size_bytes,
                                          after.virtual_size_bytes,
                                          after.checksum,
                                          after.hash_value,
                                          text_or_null(after.blob),
                                          after.updated_at,
                                          after.active_at,
                                          after.properties_json,
                                          after.tags_json,
                                          after.upload_id,
                                          after.upload_error}));
  return update_terms(connection_, before, after);
}

Result<> Images::change_member_count(model::Image const& before, std::int64_t by,
                                     model::Visibility visibility, bool auto_shared) {
  TRY(connection_.run(sql::change_member_count, {before.id, by, name_of(visibility), auto_shared}));
  auto after = before;
  after.visibility = visibility;
  return update_terms(connection_, before, after);
}

Result<> Images::remove(model::Image const& image, Time now) {
  TRY(each_term(connection_, sql::delete_image_term, image, terms_of(image)));
  TRY(connection_.run(sql::remove_members_of_image, {image.id}));
  TRY(connection_.run(sql::delete_image_key, {image.id}));
  TRY(connection_.run(sql::delete_image, {image.id}));
  TRY(connection_.run(sql::remember_deleted_image, {image.id, now}));
  return {};
}

Result<std::vector<model::Image>> Images::interrupted_uploads() {
  std::vector<model::Image> out;
  TRY(connection_.run(sql::list_interrupted_uploads, {},
                      [&](Row const& row) { out.push_back(row_to_image(row)); }));
  return out;
}

Result<std::vector<ImageTotal>> Images::totals() {
  std::vector<ImageTotal> out;
  TRY(connection_.run(sql::total_images, {}, [&](Row const& row) {
    out.push_back({row.string(0), row.string(1), row.integer(2), row.integer(3)});
  }));
  return out;
}

Result<bool> Images::is_name_taken(ProjectId const& owner, std::string_view name) {
  return TRY(find_named(owner, name)).has_value();
}

Result<std::optional<ImageId>> Images::find_named(ProjectId const& owner, std::string_view name) {
  std::optional<ImageId> found;
  TRY(connection_.run(sql::find_named_image, {owner, name},
                      [&](Row const& row) { found = row.id<ImageId>(0); }));
  return found;
}

Result<std::int64_t> Images::count_owned(ProjectId const& owner) {
  std::int64_t count = 0;
  TRY(connection_.run(sql::count_owned_images, {owner},
                      [&](Row const& row) { count = row.integer(0); }));
  return count;
}

Result<std::int64_t> Images::count_shared_out(ProjectId const& owner) {
  std::int64_t count = 0;
  TRY(connection_.run(sql::count_images_shared_out, {owner},
                      [&](Row const& row) { count = row.integer(0); }));
  return count;
}

Result<std::int64_t> Images::most_members(ProjectId const& owner) {
  std::int64_t most = 0;
  TRY(connection_.run(sql::most_members_of_owned_image, {owner},
                      [&](Row const& row) { most = row.integer(0); }));
  return most;
}

} // namespace vitrine::store
