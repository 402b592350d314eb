#include "service/tags.hpp"

#include "model/image_texts.hpp"
#include "model/listing.hpp"
#include "store/metadata/listing.hpp"
#include "store/metadata/owned_images.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace vitrine::service {
namespace {

class Matcher {
public:
  explicit Matcher(TagSearch const& search)
      : search_(search), name_(model::without_case(search.name.value_or(""))) {}

  [[nodiscard]] bool fits(model::Image const& image) const {
    return fits_id(image) && fits_name(image.name.value_or("")) &&
           model::fits(search_.tags, model::tags_of(image.tags()));
  }

private:
  [[nodiscard]] bool fits_id(model::Image const& image) const {
    return !search_.id || *search_.id == image.id;
  }

  [[nodiscard]] bool fits_name(std::string_view name) const {
    if (!search_.name) return true;
    return name_.empty() ? name.empty() : model::without_case(name).find(name_) != name_.npos;
  }

  TagSearch const& search_;
  std::string const name_;
};

// The images of the page, in its order.
Result<std::vector<model::Image>> read_page(store::Connection& connection, ProjectId const& project,
                                            std::span<ImageId const> ids) {
  std::vector<model::Image> page;
  if (ids.empty()) return page;
  model::ImageListing listing;
  listing.sets.owned = {.owner = project, .only = {}};
  listing.hidden = {false, true};
  model::Condition wanted{.column = model::ImageColumn::id, .values = {}};
  for (auto const& id : ids)
    wanted.values.emplace_back(id.text);
  listing.conditions.push_back(std::move(wanted));
  model::complete_order(listing.sort, true);
  listing.limit = std::ssize(ids) + 1; // a page that is not full is the last
  std::size_t bytes = 0;
  do {
    auto listed = TRY(store::list_images(connection, listing));
    for (auto& image : listed.images) {
      if (bytes >= store::kPageBytesMax) return page;
      bytes += image.tags_json.size();
      image.properties_json = "{}"; // nobody asks for them here
      page.push_back(std::move(image));
    }
    listing.after = std::move(listed.last);
  } while (listing.after);
  return page;
}

} // namespace

Tags::Tags(store::Database& database, Access const& access, Images& images)
    : database_(database), access_(access), images_(images),
      get_image_(access.action("get_image")) {}

Result<> Tags::put(model::Caller const& caller, ImageId const& id,
                   std::span<model::Tag const> tags) const {
  auto const set = [&](model::Image& image) -> Result<> {
    auto texts = image.tags();
    TRY(model::put_tags(texts, tags));
    image.set_tags(texts);
    return {};
  };
  TRY(images_.change_owned(caller, id, model::audit::tag_create, set));
  return {};
}

Result<std::size_t> Tags::remove(model::Caller const& caller, ImageId const& id,
                                 std::span<std::string const> keys) const {
  std::size_t removed = 0;
  auto const drop = [&](model::Image& image) -> Result<> {
    auto texts = image.tags();
    removed = 0; // the work may run again
    for (auto const& key : keys)
      removed += model::remove_key(texts, key);
    image.set_tags(texts);
    return {};
  };
  TRY(images_.change_owned(caller, id, model::audit::tag_delete, drop));
  return removed;
}

Result<std::vector<model::Tag>> Tags::of_image(model::Caller const& caller,
                                               ImageId const& id) const {
  auto const image = TRY(images_.show(caller, id));
  return model::tags_of(image.tags());
}

Result<std::vector<model::Tag>> Tags::of_project(model::Caller const& caller,
                                                 ProjectId const& project) const {
  return database_.read([&](store::Connection& connection) -> Result<std::vector<model::Tag>> {
    std::unordered_set<std::string> texts; // many images have the same
    TRY(store::each_owned_image(connection, project, [&](model::Image const& image) {
      if (!access_.allows(get_image_, caller, {image, std::nullopt})) return;
      for (auto& text : image.tags())
        texts.insert(std::move(text));
    }));
    return model::tags_of(std::vector(texts.begin(), texts.end()));
  });
}

Result<std::vector<Tags::Hit>> Tags::hits(store::Connection& connection,
                                          model::Caller const& caller, ProjectId const& project,
                                          TagSearch const& search) const {
  Matcher const matcher(search);
  std::vector<Hit> found;
  TRY(store::each_owned_image(connection, project, [&](model::Image const& image) {
    // Contract: ims-api 9, scope.
    if (image.visibility == model::Visibility::public_ || !matcher.fits(image)) return;
    if (!access_.allows(get_image_, caller, {image, std::nullopt})) return;
    found.push_back({image.created_at, image.id});
  }));
  return found;
}

Result<std::size_t> Tags::count(model::Caller const& caller, ProjectId const& project,
                                TagSearch const& search) const {
  return database_.read([&](store::Connection& connection) -> Result<std::size_t> {
    auto const found = TRY(hits(connection, caller, project, search));
    return found.size();
  });
}

Result<TaggedPage> Tags::find(model::Caller const& caller, ProjectId const& project,
                              TagSearch const& search, std::size_t offset,
                              std::size_t limit) const {
  return database_.read([&](store::Connection& connection) -> Result<TaggedPage> {
    auto found = TRY(hits(connection, caller, project, search));
    std::ranges::sort(found, [](Hit const& a, Hit const& b) {
      return std::tie(a.created_at.us, a.id.text) > std::tie(b.created_at.us, b.id.text);
    });
    auto const first = std::min(offset, found.size());
    auto const last = first + std::min(limit, found.size() - first);
    std::vector<ImageId> ids;
    for (auto at = first; at < last; ++at)
      ids.push_back(std::move(found[at].id));
    auto images = TRY(read_page(connection, project, ids));
    return TaggedPage{found.size(), std::move(images)};
  });
}

} // namespace vitrine::service
