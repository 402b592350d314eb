#include "store/metadata/listing.hpp"

#include "base/json.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/terms.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <span>

namespace vitrine::store {
namespace {

using model::Comparison;
using model::Condition;
using model::ImageColumn;
using model::ImageListing;
using model::ImageSets;
using model::SortKey;

using Value = std::variant<std::int64_t, std::string>;

// A property held by at most so many images of a set is looked up by the property and sorted; a
// commoner one is met soon enough on the way along the sort index.
constexpr std::int64_t kRareTermMax = 2000;

// Properties and tags of this size come with the page. Larger ones are read for themselves: the
// engine would hold those of all its rows before the first can be looked at.
constexpr std::size_t kShortBytes = 8U << 10U;

// The properties of an image, each behind a comma.
constexpr std::string_view kStored = "',' || substr(i.properties, 2)";

// Statement text under construction with the values of its parameters.
class Text {
public:
  // One overload a type: g++ 12 takes a temporary variant for uninitialised.
  std::string bind(std::int64_t value) { return last(values_.emplace_back(value)); }
  std::string bind(std::string_view value) {
    return last(values_.emplace_back(std::string(value)));
  }
  std::string bind(Value const& value) { return last(values_.emplace_back(value)); }
  [[nodiscard]] std::vector<Param> params() const {
    std::vector<Param> out;
    for (auto const& value : values_) {
      out.push_back(std::holds_alternative<std::string>(value)
                        ? Param(std::get<std::string>(value))
                        : Param(std::get<std::int64_t>(value)));
    }
    return out;
  }

private:
  std::string last(Value const&) const { return fmt::format("${}", values_.size()); }

  std::deque<Value> values_; ///< params() refers to the strings
};

// Letter by letter the expressions of the indexes in migrations/0001.
std::string_view expression(ImageColumn column) {
  switch (column) {
  case ImageColumn::id: return "i.id";
  case ImageColumn::name: return "COALESCE(i.name, '')";
  case ImageColumn::status: return "i.status";
  case ImageColumn::container_format: return "COALESCE(i.container_format, '')";
  case ImageColumn::disk_format: return "COALESCE(i.disk_format, '')";
  case ImageColumn::size: return "COALESCE(i.size, -1)";
  case ImageColumn::created_at: return "i.created_at";
  case ImageColumn::updated_at: return "i.updated_at";
  case ImageColumn::owner: return "i.owner";
  case ImageColumn::visibility: return "i.visibility";
  case ImageColumn::checksum: return "i.checksum";
  case ImageColumn::hash_value: return "i.hash_value";
  case ImageColumn::min_disk: return "i.min_disk";
  case ImageColumn::min_ram: return "i.min_ram";
  case ImageColumn::virtual_size: return "COALESCE(i.virtual_size, -1)";
  case ImageColumn::is_protected: break;
  }
  return "i.protected";
}

// Columns whose expression turns null into an empty text, which a filter must tell apart.
std::string_view nullable_text(ImageColumn column) {
  switch (column) {
  case ImageColumn::name: return "i.name";
  case ImageColumn::container_format: return "i.container_format";
  case ImageColumn::disk_format: return "i.disk_format";
  default: return {};
  }
}

std::string json_array(std::vector<Value> const& texts) {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (auto const& text : texts)
    writer.string(std::get<std::string>(text));
  writer.end_array();
  return out;
}

Value value_of(model::Image const& image, ImageColumn column) {
  switch (column) {
  case ImageColumn::id: return image.id.text;
  case ImageColumn::name: return image.name.value_or("");
  case ImageColumn::status: return std::string(name_of(image.status));
  case ImageColumn::container_format: return image.container_format.value_or("");
  case ImageColumn::disk_format: return image.disk_format.value_or("");
  case ImageColumn::size: return image.size_bytes.value_or(-1);
  case ImageColumn::created_at: return image.created_at.us;
  case ImageColumn::updated_at: return image.updated_at.us;
  default: break;
  }
  check_failed("not a sort key", __FILE__, __LINE__);
}

// One set of the union.
struct Branch {
  TermScope scope; ///< whose terms name the images of this set
  std::string where;
  std::optional<ImageSets::Received> received; ///< with one status
};

class Builder {
public:
  Builder(Connection& connection, ImageListing const& listing)
      : connection_(connection), join_(connection.dialect().ordered_join), listing_(listing) {}

  Result<ListedImages> run() {
    if (listing_.limit == 0) return ListedImages{};
    conditions_ = conditions_text() + sharing_text() + standards_text();
    for (bool const hidden : listing_.hidden)
      add_branches(hidden);
    if (listing_.sets.hidden) add_owned(*listing_.sets.hidden, true);
    std::vector<std::string> parts;
    for (auto const& branch : branches_) {
      for (auto const& range : ranges())
        parts.push_back(TRY(select(branch, range)));
    }
    if (parts.empty()) return ListedImages{};
    return complete(TRY(fetch(page_of(parts))));
  }

private:
  static std::string_view flag_text(bool hidden) {
    return hidden ? "i.hidden = 1" : "i.hidden = 0";
  }

  void add_owned(ImageSets::Owned const& owned, bool hidden) {
    auto where = fmt::format("i.owner = {} AND {}", text_.bind(std::string_view(owned.owner.text)),
                             flag_text(hidden));
    if (!owned.only.empty()) {
      std::string list;
      for (auto const visibility : owned.only) {
        list += (list.empty() ? "" : ", ") + text_.bind(name_of(visibility));
      }
      where += " AND i.visibility IN (" + list + ")";
    }
    branches_.push_back(
        {{TermScope::By::owner, owned.owner.text, hidden}, std::move(where), std::nullopt});
  }

  void add_branches(bool hidden) {
    auto const flag = flag_text(hidden);
    if (listing_.sets.owned) add_owned(*listing_.sets.owned, hidden);
    for (auto const visibility : listing_.sets.open) {
      branches_.push_back(
          {{TermScope::By::visibility, name_of(visibility), hidden},
           fmt::format("i.visibility = {} AND {}", text_.bind(name_of(visibility)), flag),
           std::nullopt});
    }
    if (!listing_.sets.received) return;
    auto const& received = *listing_.sets.received;
    for (auto const status : received.statuses) {
      branches_.push_back(
          {{TermScope::By::visibility, name_of(model::Visibility::shared), hidden},
           fmt::format("m.project_id = {} AND m.status = {} AND i.visibility = 'shared' AND {}",
                       text_.bind(std::string_view(received.project.text)),
                       text_.bind(name_of(status)), flag),
           ImageSets::Received{received.project, {status}}});
    }
  }

  // Where the page starts, as conditions whose union is the rest of the order: equality on the
  // first key and beyond the others, then beyond the first key. Each is a range of an index.
  struct Range {
    std::vector<std::pair<SortKey, char const*>> comparisons; ///< on single keys: "=", "<", ">"
    std::vector<SortKey> behind; ///< compared as one row value behind the marker, same direction
    bool general{false};         ///< mixed directions: the lexicographic condition spelled out
  };

  std::vector<Range> ranges() const {
    if (!listing_.after) return {Range{}};
    auto const& sort = listing_.sort;
    bool const uniform = std::ranges::all_of(
        sort, [&](SortKey const& key) { return key.descending == sort.front().descending; });
    auto const beyond = sort.front().descending ? "<" : ">";
    auto const first = sort.front().column;
    if (uniform && (first == ImageColumn::created_at || first == ImageColumn::id)) {
      return {Range{.comparisons = {}, .behind = sort, .general = false}};
    }
    if (uniform && sort.size() == 3) {
      return {
          Range{.comparisons = {{sort[0], "="}}, .behind = {sort[1], sort[2]}, .general = false},
          Range{.comparisons = {{sort[0], beyond}}, .behind = {}, .general = false}};
    }
    return {Range{.comparisons = {}, .behind = {}, .general = true}};
  }

  // How a sort key is written in a branch: a received image is found by its membership's own copy.
  static std::string key_text(Branch const& branch, bool by_term, ImageColumn column) {
    if (by_term && column == ImageColumn::created_at) return "t.created_at";
    if (by_term && column == ImageColumn::id) return "t.image_id";
    if (branch.received && column == ImageColumn::created_at) return "m.image_created_at";
    if (branch.received && column == ImageColumn::id) return "m.image_id";
    return std::string(expression(column));
  }

  std::string marker(ImageColumn column) { return text_.bind(value_of(*listing_.after, column)); }

  std::string range_text(Branch const& branch, bool by_term, Range const& range) {
    std::string out;
    for (auto const& [key, comparison] : range.comparisons) {
      out += fmt::format(" AND {} {} {}", key_text(branch, by_term, key.column), comparison,
                         marker(key.column));
    }
    if (!range.behind.empty()) {
      std::string keys;
      std::string values;
      for (auto const& key : range.behind) {
        keys += (keys.empty() ? "" : ", ") + key_text(branch, by_term, key.column);
        values += (values.empty() ? "" : ", ") + marker(key.column);
      }
      out += fmt::format(" AND ({}) {} ({})", keys, range.behind.front().descending ? "<" : ">",
                         values);
    }
    if (range.general) out += " AND (" + lexicographic(branch, by_term) + ")";
    return out;
  }

  // (a beyond x) OR (a = x AND b beyond y) OR …
  std::string lexicographic(Branch const& branch, bool by_term) {
    std::string out;
    std::string equal; // of the keys before
    for (auto const& key : listing_.sort) {
      auto const text = key_text(branch, by_term, key.column);
      auto const at = marker(key.column);
      out += fmt::format("{}({}{} {} {})", out.empty() ? "" : " OR ", equal, text,
                         key.descending ? "<" : ">", at);
      equal += fmt::format("{} = {} AND ", text, at);
    }
    return out;
  }

  std::string conditions_text() {
    std::string out;
    for (auto const& condition : listing_.conditions) {
      static constexpr std::array<std::string_view, 6> operators = {"=",  "<>", "<",
                                                                    "<=", ">",  ">="};
      auto const column = expression(condition.column);
      if (condition.comparison == Comparison::outside) {
        out += fmt::format(" AND ({0} < {1} OR {0} >= {2})", column,
                           text_.bind(condition.values[0]), text_.bind(condition.values[1]));
        continue;
      }
      if (auto const nullable = nullable_text(condition.column); !nullable.empty()) {
        out += fmt::format(" AND {} IS NOT NULL", nullable);
      }
      if (condition.values.size() == 1) {
        out += fmt::format(" AND {} {} {}", column,
                           operators[static_cast<std::size_t>(condition.comparison)],
                           text_.bind(condition.values.front()));
        continue;
      }
      auto const array = text_.bind(std::string_view(json_array(condition.values)));
      out += " AND ";
      out += fmt::format(fmt::runtime(connection_.dialect().is_in_array), column, array);
    }
    return out;
  }

  // As Image::is_shared_for.
  std::string sharing_text() {
    if (!listing_.sharing) return {};
    return fmt::format(
        " AND {} (i.visibility = 'shared' AND (i.owner <> {} OR i.member_count > 0))",
        listing_.sharing->is_shared ? "" : "NOT",
        text_.bind(std::string_view(listing_.sharing->viewer.text)));
  }

  // A term tells which value is stored, not that none is. Only where a name begins is there a
  // quote behind a comma, once the opening brace is one.
  std::string standards_text() {
    std::string out;
    for (auto const& standard : listing_.standards) {
      std::string unstored = lacks(standard.name);
      for (auto const& name : standard.without)
        unstored += " AND " + lacks(name);
      for (auto const& [name, value] : standard.also)
        unstored += fmt::format(" AND ({} OR {})", lacks(name), stores(name, value));
      out += fmt::format(" AND ({} OR {})", unstored, stores(standard.name, standard.value));
    }
    return out;
  }

  std::string lacks(std::string_view name) {
    std::string stored = ",";
    json::append_string(stored, name);
    return position(kStored, stored + ':') + " = 0";
  }

  // The Image API keeps a flag in the letters it came in.
  std::string stores(std::string_view name, std::string_view value) {
    bool const is_flag = value == "true" || value == "false";
    std::string stored = ",";
    json::append_string(stored, name);
    stored += ':';
    json::append_string(stored, value);
    return position(is_flag ? fmt::format("lower({})", kStored) : std::string(kStored), stored) +
           " > 0";
  }

  std::string position(std::string_view in, std::string_view what) {
    return fmt::format(fmt::runtime(connection_.dialect().position), in, text_.bind(what));
  }

  std::vector<std::int64_t> terms(Branch const& branch) const {
    std::vector<std::int64_t> out;
    auto const add = [&](std::int64_t term) {
      if (std::ranges::find(out, term) == out.end()) out.push_back(term);
    };
    for (auto const& [name, value] : listing_.properties)
      add(property_term(branch.scope, name, value));
    for (auto const& tag : listing_.tags)
      add(tag_term(branch.scope, tag));
    return out;
  }

  // That an image of the branch has all these terms, which are different. Counted and compared
  // within the subquery: PostgreSQL would take EXISTS for a join, and the comparison of a count
  // outside to hold for one row of 200, and either way sort all that it holds for.
  std::string terms_text(std::span<std::int64_t const> wanted) {
    if (wanted.empty()) return {};
    std::string list;
    for (auto const term : wanted)
      list += (list.empty() ? "" : ", ") + text_.bind(term);
    return fmt::format(" AND (SELECT COUNT(*) = {} FROM image_terms x WHERE x.term IN ({}) AND "
                       "x.created_at = i.created_at AND x.image_id = i.id)",
                       wanted.size(), list);
  }

  Result<bool> starts_at_term(std::vector<std::int64_t> const& terms) {
    if (terms.empty()) return false;
    if (listing_.sort.front().column == ImageColumn::created_at) return true;
    static constexpr sql::Statement count{
        "count_term",
        "SELECT COUNT(*) FROM (SELECT 1 FROM image_terms WHERE term = $1 LIMIT $2) few"};
    std::int64_t found = 0;
    TRY(connection_.run(count, {terms.front(), kRareTermMax + 1},
                        [&](Row const& row) { found = row.integer(0); }));
    return found <= kRareTermMax;
  }

  // Whether the range has one value there. To order by an expression that has, SQLite would sort.
  static bool is_one_value(ImageColumn column, Range const& range) {
    return std::ranges::any_of(range.comparisons, [&](auto const& compared) {
      return compared.first.column == column && compared.second == std::string_view("=");
    });
  }

  // One branch and range as a SELECT of the sort keys, cut to the page.
  Result<std::string> select(Branch const& branch, Range const& range) {
    auto const wanted = terms(branch);
    bool const by_term = TRY(starts_at_term(wanted));
    std::string from = "images i";
    auto where = branch.where;
    std::size_t checked = 0;
    if (by_term) {
      from = fmt::format("image_terms t {} images i ON i.id = t.image_id", join_);
      if (branch.received) from += fmt::format(" {} image_members m ON m.image_id = i.id", join_);
      where = fmt::format("t.term = {} AND {}", text_.bind(wanted.front()), where);
      checked = 1;
    } else if (branch.received) {
      from = fmt::format("image_members m {} images i ON i.id = m.image_id", join_);
    }
    where += terms_text(std::span(wanted).subspan(checked));
    where += conditions_;
    where += range_text(branch, by_term, range);
    std::string keys;
    std::string order;
    for (std::size_t i = 0; i < listing_.sort.size(); ++i) {
      auto const& key = listing_.sort[i];
      auto const text = key_text(branch, by_term, key.column);
      keys += fmt::format("{}{} AS k{}", keys.empty() ? "" : ", ", text, i);
      if (is_one_value(key.column, range)) continue;
      order +=
          fmt::format("{}{}{}", order.empty() ? "" : ", ", text, key.descending ? " DESC" : "");
    }
    return fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}", keys, from, where, order,
                       limit());
  }

  // The number of rows of the page. PostgreSQL plans a prepared statement once for all values only
  // when that looks no dearer than a plan for each, so it must see how few rows are asked for; to
  // plan a page takes longer than to read it. With a filter it is right to plan each page.
  std::string limit() {
    return listing_.has_filters() ? text_.bind(listing_.limit) : std::to_string(listing_.limit);
  }

  // The union of the branches, cut to the page, with the images themselves.
  std::string page_of(std::vector<std::string> const& parts) {
    std::string ids;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      ids += fmt::format("{}SELECT * FROM ({}) p{}", i == 0 ? "" : " UNION ", parts[i], i);
    }
    std::string order;
    std::string id_key;
    for (std::size_t i = 0; i < listing_.sort.size(); ++i) {
      auto const& key = listing_.sort[i];
      order += fmt::format("{}k{}{}", order.empty() ? "" : ", ", i, key.descending ? " DESC" : "");
      if (key.column == ImageColumn::id) id_key = fmt::format("k{}", i);
    }
    return fmt::format("{} FROM (SELECT * FROM ({}) u ORDER BY {} LIMIT {}) v {} images i ON "
                       "i.id = v.{} ORDER BY {}",
                       columns(), ids, order, limit(), join_, id_key, order);
  }

  // get_image's text up to its WHERE names the columns in the order that row_to_image reads. Texts
  // that are not short are null.
  [[nodiscard]] std::string columns() const {
    constexpr std::string_view texts = "i.properties, i.tags";
    auto const all = sql::get_image.text.substr(0, sql::get_image.text.find(" FROM "));
    auto const at = all.find(texts);
    CHECK(at != std::string_view::npos);
    auto const size_of = [&](std::string_view column) {
      return fmt::format(fmt::runtime(connection_.dialect().size_bytes), column);
    };
    auto const short_ones =
        fmt::format("{} + {} <= {}", size_of("i.properties"), size_of("i.tags"), kShortBytes);
    return fmt::format("{0}CASE WHEN {1} THEN i.properties END, CASE WHEN {1} THEN i.tags END{2}",
                       all.substr(0, at), short_ones, all.substr(at + texts.size()));
  }

  static std::size_t text_bytes(model::Image const& image) {
    return image.properties_json.size() + image.tags_json.size();
  }

  static bool is_short(model::Image const& image) { return !image.properties_json.empty(); }

  struct Rows {
    std::vector<model::Image> images;
    bool more{false};
  };

  // The rows of the page, up to where their short texts fill it.
  Result<Rows> fetch(std::string const& statement) {
    Rows fetched;
    std::size_t bytes = 0;
    std::int64_t rows = 0;
    auto const params = text_.params();
    TRY(connection_.run({"list_images", statement}, std::span<Param const>(params),
                        [&](Row const& row) {
                          ++rows;
                          if (bytes >= kPageBytesMax) return;
                          auto& image = fetched.images.emplace_back(row_to_image(row));
                          bytes += text_bytes(image);
                        }));
    fetched.more = rows == listing_.limit || std::ssize(fetched.images) < rows;
    return fetched;
  }

  // Reads the long texts that the page has room for.
  Result<ListedImages> complete(Rows rows) {
    ListedImages listed;
    listed.images.reserve(rows.images.size());
    std::optional<model::Image> dropped; // the last row, unless it is of the page
    std::size_t bytes = 0;
    for (auto& row : rows.images) {
      if (bytes >= kPageBytesMax) {
        rows.more = true;
        break;
      }
      auto image = is_short(row) ? std::move(row) : TRY(Images(connection_).get(row.id));
      bytes += text_bytes(image);
      dropped.reset();
      if (holds_terms(image)) {
        listed.images.push_back(std::move(image));
      } else {
        dropped = std::move(image);
      }
    }
    if (rows.more) listed.last = dropped ? std::move(*dropped) : listed.images.back();
    return listed;
  }

  // A term is a hash: what was found by one is compared in full.
  [[nodiscard]] bool holds_terms(model::Image const& image) const {
    if (!listing_.properties.empty()) {
      auto const properties = image.properties();
      for (auto const& [name, value] : listing_.properties) {
        auto const at = properties.find(name);
        if (at == properties.end() || at->second != value) return false;
      }
    }
    if (listing_.tags.empty()) return true;
    auto const tags = image.tags();
    return std::ranges::all_of(listing_.tags, [&](std::string const& tag) {
      return std::ranges::find(tags, tag) != tags.end();
    });
  }

  Connection& connection_;
  std::string_view const join_;
  ImageListing const& listing_;
  Text text_;
  std::string conditions_; ///< the same text and parameters in every branch
  std::vector<Branch> branches_;
};

} // namespace

Result<ListedImages> list_images(Connection& connection, ImageListing const& listing) {
  return Builder(connection, listing).run();
}

} // namespace vitrine::store
