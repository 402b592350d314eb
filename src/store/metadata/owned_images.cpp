#include "store/metadata/owned_images.hpp"

#include "store/metadata/images.hpp"

#include <utility>
#include <vector>

namespace vitrine::store {
namespace {

constexpr std::int64_t kRowsMax = 1000; // of one statement

// Longer tags are read for themselves: an engine would hold those of all rows at once.
constexpr std::int64_t kShortCharacters = 2048;

model::Image image_of(Row const& row, ProjectId const& owner) {
  model::Image image;
  image.id = row.id<ImageId>(0);
  image.owner = owner;
  image.name = row.maybe_string(1);
  image.status = model::status_named(row.text(2)).value();
  image.visibility = model::visibility_named(row.text(3)).value();
  image.is_protected = row.flag(4);
  image.created_at = row.time(5);
  image.tags_json = row.string(6); // empty when it is long
  return image;
}

} // namespace

Result<> each_owned_image(Connection& connection, ProjectId const& owner,
                          std::function<void(model::Image const&)> const& each) {
  ImageId after;
  while (true) {
    std::vector<model::Image> images;
    TRY(connection.run(sql::list_owned_images, {owner, after, kRowsMax, kShortCharacters},
                       [&](Row const& row) { images.push_back(image_of(row, owner)); }));
    for (auto& image : images) {
      if (image.tags_json.empty()) {
        auto whole = TRY(Images(connection).get(image.id));
        image.tags_json = std::move(whole.tags_json);
      }
      each(image);
    }
    if (std::cmp_less(images.size(), kRowsMax)) return {};
    after = images.back().id;
  }
}

} // namespace vitrine::store
