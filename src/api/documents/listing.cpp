#include "api/documents/listing.hpp"

#include "api/documents/attributes.hpp"
#include "api/documents/standards.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace vitrine::api::documents {
namespace {

using model::Comparison;
using model::Condition;
using model::ImageColumn;
using model::MemberStatus;
using model::SortKey;
using model::Visibility;

struct NamedColumn {
  std::string_view name;
  ImageColumn column;
};

constexpr std::array<NamedColumn, 8> kSortKeys = {
    {{"name", ImageColumn::name},
     {"status", ImageColumn::status},
     {"container_format", ImageColumn::container_format},
     {"disk_format", ImageColumn::disk_format},
     {"size", ImageColumn::size},
     {"id", ImageColumn::id},
     {"created_at", ImageColumn::created_at},
     {"updated_at", ImageColumn::updated_at}}};
constexpr std::array<NamedColumn, 5> kTexts = {{{"name", ImageColumn::name},
                                                {"id", ImageColumn::id},
                                                {"status", ImageColumn::status},
                                                {"container_format", ImageColumn::container_format},
                                                {"disk_format", ImageColumn::disk_format}}};
constexpr std::array<NamedColumn, 2> kTimes = {
    {{"created_at", ImageColumn::created_at}, {"updated_at", ImageColumn::updated_at}}};
constexpr std::array<NamedColumn, 4> kNumbers = {{{"size", ImageColumn::size},
                                                  {"virtual_size", ImageColumn::virtual_size},
                                                  {"min_disk", ImageColumn::min_disk},
                                                  {"min_ram", ImageColumn::min_ram}}};
constexpr std::array<NamedColumn, 2> kHashes = {
    {{"checksum", ImageColumn::checksum}, {"os_hash_value", ImageColumn::hash_value}}};
// Read on their own, not as conditions.
constexpr std::array<std::string_view, 10> kOthers = {
    "limit",      "marker", "sort", "sort_key",      "sort_dir",
    "visibility", "owner",  "tag",  "member_status", "os_hidden"};
constexpr std::array<std::string_view, 6> kOperators = {"eq", "neq", "gt", "gte", "lt", "lte"};

template <std::size_t N>
std::optional<ImageColumn> find(std::array<NamedColumn, N> const& columns, std::string_view name) {
  auto const at = std::ranges::find(columns, name, &NamedColumn::name);
  return at == columns.end() ? std::nullopt : std::optional(at->column);
}

Error invalid(std::string_view name, std::string_view why) {
  return error(Fault::invalid_query, std::string(name) + ": " + std::string(why),
               std::string(name));
}

Result<bool> read_flag(std::string_view name, std::string_view value) {
  if (value == "true") return true;
  if (value == "false") return false;
  return invalid(name, "must be true or false");
}

// An operator and the rest; without one of ours in front the whole is the value.
std::pair<std::string_view, std::string_view> split_operator(std::string_view value) {
  auto const colon = value.find(':');
  if (colon == std::string_view::npos) return {"", value};
  auto const word = value.substr(0, colon);
  if (word != "in" && std::ranges::find(kOperators, word) == kOperators.end()) return {"", value};
  return {word, value.substr(colon + 1)};
}

// `a,"b,c"`: a quoted item may hold commas, and quotes behind a backslash.
Result<std::vector<std::variant<std::int64_t, std::string>>> read_items(std::string_view name,
                                                                        std::string_view text) {
  std::vector<std::variant<std::int64_t, std::string>> items;
  std::size_t at = 0;
  while (true) {
    std::string item;
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '"') ++at;
        item += text[at];
      }
      if (at == text.size()) return invalid(name, "a quote is not closed");
      ++at;
      if (at < text.size() && text[at] != ',') return invalid(name, "text behind a quote");
    } else {
      for (; at < text.size() && text[at] != ','; ++at) {
        if (text[at] == '"') return invalid(name, "a quote within an item");
        item += text[at];
      }
    }
    items.emplace_back(std::move(item));
    if (at == text.size()) return items;
    ++at;
  }
}

// The extension has no operators here (contract: ims-api 6.1), and reads ids in any letter case.
Result<Condition> read_text(std::string_view name, ImageColumn column, std::string_view value,
                            View view) {
  if (view == View::extension) {
    auto text = column == ImageColumn::id ? text::to_lower(value) : std::string(value);
    return Condition{column, Comparison::equal, {std::move(text)}};
  }
  auto const [word, rest] = split_operator(value);
  if (word == "in") {
    auto items = TRY(read_items(name, rest));
    return Condition{column, Comparison::equal, std::move(items)};
  }
  if (!word.empty() && word != "eq") return invalid(name, "only eq and in are operators here");
  return Condition{column, Comparison::equal, {std::string(rest)}};
}

// ISO 8601 lets a time end early: a day, or a minute.
std::optional<Time> parse_moment(std::string_view text) {
  constexpr std::size_t kDay = 10;
  constexpr std::size_t kMinute = 16;
  if (text.size() == kDay) return parse_time(std::string(text) + "T00:00:00");
  bool const to_the_minute =
      text.size() == kMinute ||
      (text.size() > kMinute && text[kMinute] != ':' && text[kMinute] != '.');
  if (to_the_minute) {
    return parse_time(std::string(text.substr(0, kMinute)) + ":00" +
                      std::string(text.substr(kMinute)));
  }
  return parse_time(text);
}

// Stored in microseconds, shown in seconds: a second is a range.
Result<std::vector<Condition>> read_time(std::string_view name, ImageColumn column,
                                         std::string_view value) {
  auto const [word, rest] = split_operator(value);
  auto const time = parse_moment(rest);
  if (!time || word == "in") return invalid(name, "must be [operator:]ISO 8601 time");
  auto const part = time->us % kMicrosecondsPerSecond;
  auto const start = time->us - (part < 0 ? part + kMicrosecondsPerSecond : part);
  auto const end = start + kMicrosecondsPerSecond;
  auto const one = [&](Comparison comparison, std::int64_t bound) {
    return Condition{column, comparison, {bound}};
  };
  if (word == "gt") return std::vector{one(Comparison::at_least, end)};
  if (word == "gte") return std::vector{one(Comparison::at_least, start)};
  if (word == "lt") return std::vector{one(Comparison::less, start)};
  if (word == "lte") return std::vector{one(Comparison::less, end)};
  if (word == "neq") return std::vector{Condition{column, Comparison::outside, {start, end}}};
  return std::vector{one(Comparison::at_least, start), one(Comparison::less, end)};
}

struct NumberFilter {
  ImageColumn column;
  Comparison comparison;
};

std::optional<NumberFilter> number_filter(std::string_view name) {
  auto comparison = Comparison::equal;
  if (name.ends_with("_min")) comparison = Comparison::at_least;
  if (name.ends_with("_max")) comparison = Comparison::at_most;
  if (comparison != Comparison::equal) name.remove_suffix(4);
  auto const column = find(kNumbers, name);
  if (!column) return std::nullopt;
  return NumberFilter{*column, comparison};
}

Result<> add_protected(model::ImageListing& listing, std::string_view name,
                       std::string_view value) {
  std::int64_t const flag = TRY(read_flag(name, value)) ? 1 : 0;
  listing.conditions.push_back({ImageColumn::is_protected, Comparison::equal, {flag}});
  return {};
}

Result<> add_filter(model::ImageListing& listing, std::string_view name, std::string_view value,
                    View view) {
  auto& conditions = listing.conditions;
  if (name == "changes-since" && view != View::extension) {
    return invalid(name, "is not supported; use updated_at");
  }
  if (auto const column = find(kTexts, name)) {
    conditions.push_back(TRY(read_text(name, *column, value, view)));
  } else if (auto const time = find(kTimes, name)) {
    std::ranges::copy(TRY(read_time(name, *time, value)), std::back_inserter(conditions));
  } else if (auto const filter = number_filter(name)) {
    auto const number = text::parse_int(value);
    if (!number) return invalid(name, "must be an integer");
    conditions.push_back({filter->column, filter->comparison, {*number}});
    // An unknown size is stored below all and fits no filter.
    conditions.push_back({filter->column, Comparison::at_least, {std::int64_t{0}}});
  } else if (auto const hash = find(kHashes, name)) {
    conditions.push_back({*hash, Comparison::equal, {std::string(value)}});
  } else if (name == "os_hash_algo" && value == "sha512") {
    conditions.push_back({ImageColumn::hash_value, Comparison::not_equal, {std::string{}}});
  } else if (name == "protected") {
    TRY(add_protected(listing, name, value));
  } else {
    listing.properties.emplace_back(name, value);
  }
  return {};
}

// Properties that fit a value without being stored, though no image shows it for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kUnsaid = {
    {{"enterprise_project_id", "0"}, {"__whole_image", "false"}, {"__support_arm", "false"}}};

// The filter for what images show or count as that do not store the property; nothing for any other
// value.
std::optional<model::ImageListing::Standard> standard_filter(std::string_view name,
                                                             std::string_view value, View view) {
  model::ImageListing::Standard filter{std::string(name), std::string(value)};
  if (std::ranges::find(kUnsaid, std::pair(name, value)) != kUnsaid.end()) return filter;
  auto const* const standard = standard_named(name, view);
  if (standard == nullptr || standard->text != value) return std::nullopt;
  for (auto const key : standard->without)
    filter.without.emplace_back(name_of_key(key));
  if (standard->of_machines) filter.also.emplace_back("virtual_env_type", kVirtualMachine);
  return filter;
}

// Leaves only images of some visibilities in the sets; an empty set costs nothing.
void keep(model::ImageSets& sets, std::vector<Visibility> const& fitting) {
  auto const is_other = [&](Visibility visibility) {
    return std::ranges::find(fitting, visibility) == fitting.end();
  };
  std::erase_if(sets.open, is_other);
  for (auto* const owned : {&sets.owned, &sets.hidden}) {
    if (!*owned) continue;
    auto& only = (*owned)->only;
    if (only.empty()) only = fitting;
    std::erase_if(only, is_other);
    if (only.empty()) owned->reset();
  }
}

// What the document computes, asked of the columns it is computed from (contract: ims-api 3.1).
void read_image_type(model::ImageListing& listing, std::string_view type, ProjectId const& viewer) {
  std::vector<Visibility> fitting;
  if (type == "gold") fitting = {Visibility::public_};
  if (type == "private") {
    fitting = {Visibility::private_, Visibility::community, Visibility::shared};
  }
  if (type == "shared") fitting = {Visibility::shared};
  keep(listing.sets, fitting);
  if (type != "shared") listing.sets.received.reset();
  if (type != "gold") listing.sharing = {viewer, type == "shared"};
}

// The filters that profile ims has on top (contract: ims-api 6.1 and 10.3). False for all others.
Result<bool> add_ims_filter(model::ImageListing& listing, std::string_view name,
                            std::string_view value, model::Caller const& caller, View view) {
  if (name == "__protected") {
    TRY(add_protected(listing, name, value));
  } else if (name == "__imagetype") {
    read_image_type(listing, value, caller.project);
  } else if (auto standard = standard_filter(name, value, view)) {
    listing.standards.push_back(std::move(*standard));
  } else {
    bool const every_project = value.empty() || value == "all_granted_eps";
    // Without a compute service there are no flavors that an image could not serve.
    return name == "flavor_id" || (name == "enterprise_project_id" && every_project);
  }
  return true;
}

// The filters that /v2/cloudimages alone has, or reads otherwise (contract: ims-api 6.1). False for
// all others.
Result<bool> add_extension_filter(model::ImageListing& listing, std::string_view name,
                                  std::string_view value, model::Caller const& caller) {
  if (name == "architecture") {
    if (value == "arm") {
      listing.properties.emplace_back("__support_arm", "true");
    } else if (value == "x86") {
      listing.standards.push_back(*standard_filter("__support_arm", "false", View::extension));
    } else {
      return error(Fault::architecture, "architecture: x86 or arm is needed", "architecture");
    }
    return true;
  }
  if (name == "__protected") {
    TRY(add_protected(listing, name, text::to_lower(value)));
    return true;
  }
  return name == "__isregistered" && !caller.is_admin;
}

Result<> read_filters(model::ImageListing& listing, Query const& query, model::Caller const& caller,
                      View view) {
  std::set<std::string_view> seen;
  for (auto const& [name, value] : query.pairs()) {
    if (std::ranges::find(kOthers, name) != kOthers.end()) continue;
    if (!seen.insert(name).second) continue;
    auto const given = *query.last(name);
    auto const* const attribute = view == View::extension ? attribute_named(name) : nullptr;
    auto const last =
        attribute == nullptr ? std::string(given) : stored_form(attribute->form, given);
    if (view == View::extension && TRY(add_extension_filter(listing, name, last, caller))) continue;
    if (view != View::glance && TRY(add_ims_filter(listing, name, last, caller, view))) continue;
    TRY(add_filter(listing, name, last, view));
  }
  // Others see registered images only, whatever they ask for.
  if (view == View::extension && !caller.is_admin) {
    listing.standards.push_back(*standard_filter("__isregistered", "true", view));
  }
  std::set<std::string_view> tags;
  for (auto const tag : query.all("tag")) {
    if (tags.insert(tag).second) listing.tags.emplace_back(tag);
  }
  if (listing.properties.size() > limits::image_properties) {
    return error(Fault::invalid_query, "more properties than an image may have");
  }
  if (tags.size() > limits::image_tags) return invalid("tag", "more than an image may have");
  return {};
}

// Each names the parameter that its text comes from.
struct NamedText {
  std::string_view parameter;
  std::string_view text;
};

Result<> add_key(std::vector<SortKey>& sort, NamedText key, NamedText direction) {
  auto const column = find(kSortKeys, key.text);
  if (!column) return invalid(key.parameter, "unknown sort key");
  if (direction.text != "asc" && direction.text != "desc") {
    return invalid(direction.parameter, "must be asc or desc");
  }
  // Behind its first place a key decides nothing.
  if (std::ranges::find(sort, *column, &SortKey::column) == sort.end()) {
    sort.push_back({*column, direction.text == "desc"});
  }
  return {};
}

Result<std::vector<SortKey>> read_sort(Query const& query) {
  std::vector<SortKey> sort;
  auto keys = query.all("sort_key");
  auto const directions = query.all("sort_dir");
  if (auto const text = query.last("sort")) {
    if (!keys.empty() || !directions.empty()) {
      return invalid("sort", "cannot be mixed with sort_key and sort_dir");
    }
    for (auto const item : text::split(*text, ',')) {
      auto const colon = item.find(':');
      auto const direction =
          colon == std::string_view::npos ? std::string_view("desc") : item.substr(colon + 1);
      TRY(add_key(sort, {"sort", text::trim(item.substr(0, colon))},
                  {"sort", text::trim(direction)}));
    }
  } else {
    if (keys.empty()) keys.emplace_back("created_at");
    if (directions.size() > 1 && directions.size() != keys.size()) {
      return invalid("sort_dir", "one for all keys, or one for each");
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto const direction = directions.empty()       ? std::string_view("desc")
                             : directions.size() == 1 ? directions.front()
                                                      : directions[i];
      TRY(add_key(sort, {"sort_key", keys[i]}, {"sort_dir", direction}));
    }
  }
  // A single direction is also that of the tie-breakers.
  bool const single = sort.size() == 1 || directions.size() == 1;
  model::complete_order(sort, single ? sort.front().descending : true);
  return sort;
}

Result<std::int64_t> read_limit(Query const& query, PageLimits limits) {
  auto const text = query.last("limit");
  if (!text) return std::min(limits.standard, limits.most);
  if (text->empty() || !std::ranges::all_of(*text, text::is_digit)) {
    return invalid("limit", "must be an integer of at least 0");
  }
  return std::min(text::parse_int(*text).value_or(limits.most), limits.most);
}

Result<std::vector<MemberStatus>> read_statuses(Query const& query) {
  auto const text = query.last("member_status").value_or("accepted");
  if (text == "all") {
    return std::vector{MemberStatus::pending, MemberStatus::accepted, MemberStatus::rejected};
  }
  auto const status = model::member_status_named(text);
  if (!status) return invalid("member_status", "must be pending, accepted, rejected or all");
  return std::vector{*status};
}

// What an administrator sees: everything, but community images of others only when asked for.
model::ImageSets admin_sets(model::Caller const& caller, std::optional<ProjectId> const& owner,
                            bool all, std::optional<Visibility> only) {
  std::vector<Visibility> usual = {Visibility::public_, Visibility::private_, Visibility::shared};
  if (all) usual.push_back(Visibility::community);
  if (only) usual = {*only};
  model::ImageSets sets;
  if (owner) {
    if (*owner == caller.project && !only) usual.clear();
    sets.owned = {*owner, std::move(usual)};
    return sets;
  }
  sets.open = std::move(usual);
  if (!all && !only) sets.owned = {caller.project, {Visibility::community}};
  return sets;
}

// What a project sees: its own images, the open ones, and those shared with it.
model::ImageSets project_sets(model::Caller const& caller, std::optional<ProjectId> const& owner,
                              bool all, std::optional<Visibility> only,
                              std::vector<MemberStatus> statuses) {
  model::ImageSets sets;
  if (!owner || *owner == caller.project) {
    sets.owned = {caller.project,
                  only ? std::vector<Visibility>{*only} : std::vector<Visibility>{}};
    if (owner) return sets;
  }
  if (!only || *only == Visibility::public_) sets.open.push_back(Visibility::public_);
  if (all || only == Visibility::community) sets.open.push_back(Visibility::community);
  if (!only || *only == Visibility::shared) sets.received = {caller.project, std::move(statuses)};
  return sets;
}

Result<> read_sets(model::ImageListing& listing, Query const& query, model::Caller const& caller,
                   View view) {
  auto statuses = TRY(read_statuses(query));
  std::optional<Visibility> only;
  auto const visibility = query.last("visibility");
  bool const all = visibility == "all";
  if (visibility && !all) {
    only = model::visibility_named(*visibility);
    if (!only) return invalid("visibility", "must be public, private, shared, community or all");
  }
  std::optional<ProjectId> owner;
  if (auto const text = query.last("owner")) owner = ProjectId{std::string(*text)};
  // The extension lists for a status what was received with it, and nothing else.
  bool const received_only = view == View::extension && query.last("member_status");
  // Whoever made an image finds it there in every state (contract: ims-api 6.1).
  bool const finds_hidden = view == View::extension && !received_only && !query.last("os_hidden") &&
                            (!owner || *owner == caller.project);
  bool const is_admin = caller.is_admin && !received_only;
  listing.sets = is_admin ? admin_sets(caller, owner, all, only)
                          : project_sets(caller, owner, all, only, std::move(statuses));
  if (finds_hidden) {
    listing.sets.hidden = {caller.project,
                           only ? std::vector<Visibility>{*only} : std::vector<Visibility>{}};
  }
  if (is_admin) return {};
  if (received_only) {
    listing.sets.owned.reset();
    listing.sets.open.clear();
  }
  if (owner && !listing.sets.owned) {
    listing.conditions.push_back({ImageColumn::owner, Comparison::equal, {owner->text}});
  }
  return {};
}

Result<model::Image> as_marker(std::string_view id, Result<model::Image> found) {
  if (!found && found.error().kind() == Kind::not_found) {
    return error(Fault::invalid_marker, "marker: no visible image " + std::string(id), "marker");
  }
  return found;
}

} // namespace

Result<model::ImageListing> read_listing(Query const& query, model::Caller const& caller,
                                         PageLimits limits, View view) {
  model::ImageListing listing;
  listing.limit = TRY(read_limit(query, limits));
  listing.sort = TRY(read_sort(query));
  if (auto const hidden = query.last("os_hidden")) {
    // In any letter case: openstackclient sends Python's `True` (docs/decisions/0007-os-hidden.md).
    listing.hidden.assign(1, TRY(read_flag("os_hidden", text::to_lower(*hidden))));
  }
  TRY(read_sets(listing, query, caller, view));
  TRY(read_filters(listing, query, caller, view));
  return listing;
}

Result<model::Image> read_marker(model::Caller const& caller, service::Images& images,
                                 std::string_view id) {
  return as_marker(id, images.show(caller, ImageId{std::string(id)}));
}

bool list_later(model::Caller const& caller, service::Images& images, model::ImageListing listing,
                std::optional<std::string> const& marker,
                std::function<void(Result<service::ImagePage>)> done) {
  if (!listing.is_brief()) return false;
  if (!marker) return images.list_later(caller, std::move(listing), std::move(done));
  auto behind = [&caller, &images, listing = std::move(listing), id = *marker,
                 done = std::move(done)](Result<model::Image> found) mutable {
    auto image = as_marker(id, std::move(found));
    if (!image) return done(Error(image.error()));
    listing.after = std::move(*image);
    if (!images.list_later(caller, std::move(listing), done)) done(error(Fault::unavailable));
  };
  return images.show_later(caller, ImageId{*marker}, std::move(behind));
}

} // namespace vitrine::api::documents
