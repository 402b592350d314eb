// How each engine means to run each statement that lists: tests/data/golden/plans.<engine>.txt,
// whose lines plans_test.hpp explains. VITRINE_WRITE_GOLDEN=1 writes the file of the engine anew.
#include "store/metadata/crowd_test.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/listing.hpp"
#include "store/metadata/plans_test.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <span>
#include <unistd.h>

namespace vitrine::store {
namespace {

using model::Comparison;
using model::Condition;
using model::ImageColumn;
using model::ImageListing;
using model::ImageSets;
using model::MemberStatus;
using model::Visibility;

struct NamedSets {
  char const* name;
  ImageSets sets;
};

// What a list is a union of, and what a project sees that asks for nothing special.
std::vector<NamedSets> all_sets() {
  ImageSets owned{.owned = ImageSets::Owned{{"p0"}, {}}, .hidden = {}, .open = {}, .received = {}};
  ImageSets open{.owned = {}, .hidden = {}, .open = {Visibility::public_}, .received = {}};
  ImageSets received{.owned = {},
                     .hidden = {},
                     .open = {},
                     .received = ImageSets::Received{{"p0"}, {MemberStatus::accepted}}};
  ImageSets all{
      .owned = owned.owned, .hidden = {}, .open = open.open, .received = received.received};
  return {{"owned", owned}, {"public", open}, {"received", received}, {"visible", all}};
}

struct NamedColumn {
  char const* name;
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

struct Filter {
  char const* name;
  void (*add)(ImageListing&);
  /// Rows that fit it may be looked up and sorted: so few fit, or the engine takes them for few.
  bool may_lead{false};
};

void add_condition(ImageListing& listing, Condition condition) {
  listing.conditions.push_back(std::move(condition));
}

constexpr std::int64_t kMiddle = Crowd::kStart.us + 20'000 * Crowd::kSecond;

constexpr std::array kFilters = std::to_array<Filter>({
    {"none", [](ImageListing&) {}},
    {"name",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::name, Comparison::equal, {"image-7"}});
     },
     true},
    {"names",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::name, Comparison::equal, {"image-7", "image-8"}});
     },
     true},
    {"id",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::id, Comparison::equal, {"107919"}});
     },
     true},
    {"status",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::status, Comparison::equal, {"active"}});
     }},
    {"disk_format",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::disk_format, Comparison::equal, {"raw"}});
     }},
    {"size_min",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::size, Comparison::at_least, {std::int64_t{1} << 34U}});
     },
     true},
    {"min_ram",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::min_ram, Comparison::equal, {std::int64_t{256}}});
     }},
    {"created_at",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::created_at, Comparison::at_least, {kMiddle}});
     },
     true},
    {"updated_at",
     [](ImageListing& listing) {
       add_condition(
           listing, {ImageColumn::updated_at, Comparison::outside, {kMiddle, kMiddle + 1'000'000}});
     }},
    {"checksum",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::checksum, Comparison::equal, {"c5"}});
     },
     true},
    {"protected",
     [](ImageListing& listing) {
       add_condition(listing, {ImageColumn::is_protected, Comparison::equal, {std::int64_t{1}}});
     }},
    {"common tag", [](ImageListing& listing) { listing.tags = {"common"}; }},
    {"five tags", [](ImageListing& listing) { listing.tags = {"common", "t1", "t2", "t3", "t4"}; }},
    {"rare tag", [](ImageListing& listing) { listing.tags = {"rare"}; }, true},
    {"common property", [](ImageListing& listing) { listing.properties = {{"os", "linux"}}; }},
    {"rare property", [](ImageListing& listing) { listing.properties = {{"os", "plan9"}}; }, true},
    {"standard", [](ImageListing& listing) { listing.standards = {{"__os_type", "Linux"}}; }},
    {"sharing",
     [](ImageListing& listing) { listing.sharing = ImageListing::Sharing{{"p0"}, false}; }},
});

/// An image in the middle of every order.
model::Image middle() {
  model::Image image;
  image.id = {"150000"};
  image.name = "image-5000";
  image.status = model::ImageStatus::active;
  image.container_format = "bare";
  image.disk_format = "raw";
  image.size_bytes = std::int64_t{20'000} << 20U;
  image.created_at = image.updated_at = {kMiddle};
  return image;
}

struct Order {
  NamedColumn key;
  bool descending;
  bool deep; ///< behind `middle`
};

ImageListing listing_of(ImageSets const& sets, Filter const& filter, Order const& order) {
  ImageListing listing;
  listing.sets = sets;
  filter.add(listing);
  listing.sort = {{order.key.column, order.descending}};
  model::complete_order(listing.sort, order.descending);
  if (order.deep) listing.after = middle();
  return listing;
}

// Keys of several directions have no index of their own.
ImageListing mixed_listing(ImageSets const& sets, bool deep) {
  ImageListing listing;
  listing.sets = sets;
  listing.sort = {{ImageColumn::name, false}, {ImageColumn::size, true}};
  model::complete_order(listing.sort, true);
  if (deep) listing.after = middle();
  return listing;
}

// Columns of few values: behind an image there may be next to nothing left.
bool has_few_values(ImageColumn column) {
  return column == ImageColumn::status || column == ImageColumn::container_format ||
         column == ImageColumn::disk_format;
}

// Whether to sort what is left is the shortest way, or the only one
// (docs/decisions/0003-listing.md).
bool may_sort(ImageSets const& sets, Filter const& filter, Order const& order) {
  auto const column = order.key.column;
  return filter.may_lead || (order.deep && has_few_values(column)) ||
         filter.name == std::string_view(order.key.name) ||
         (sets.received && column != ImageColumn::created_at);
}

struct Registered {
  sql::Statement statement;
  Params params;
};

// Statements of sql/*.sql that list rows of a table that grows.
std::vector<Registered> registered() {
  return {{sql::is_image_visible, {"107919", "p0", 0}},
          {sql::get_visible_image, {"107919", "p0", 0}},
          {sql::list_owned_images, {"p0", "150000", 1000, 2048}},
          {sql::list_members, {"107919"}},
          {sql::list_interrupted_uploads, {}},
          {sql::list_unused_blobs, {100, ""}},
          {sql::next_job, {Crowd::kStart, 0, "|add_members|", 0}},
          {sql::list_job_items, {"j7"}},
          {sql::list_expired_jobs, {1'000'000, 100}}};
}

// The parts of a union stand one below the other.
std::string line(std::string const& head, std::string const& plan) {
  return fmt::format("  {}: {}\n", head, replaced(plan, R"( \+ )", "\n    + "));
}

/// The lines of the golden file that begin with one word: without a filter, then those of the
/// filters that have another plan than that. What both directions have in common stands there once.
class Lines {
public:
  explicit Lines(std::string word) : word_(std::move(word)) {}

  void add(Filter const& filter, std::string const& ascending, std::string const& descending) {
    auto const both = without_direction(ascending);
    if (both == without_direction(descending)) {
      add(filter.name, both);
    } else {
      add(fmt::format("{} asc", filter.name), ascending);
      add(fmt::format("{} desc", filter.name), descending);
    }
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (auto const& [plan, filters] : plans_) {
      bool const plain = &plan == &plans_.front().first;
      out += line(plain ? word_ : word_ + " (" + filters + ")", plan);
    }
    return out;
  }

private:
  static std::string without_direction(std::string const& plan) {
    return replaced(plan, "[<>](?=[,)])", "beyond");
  }

  void add(std::string const& filter, std::string const& plan) {
    auto const known =
        std::ranges::find(plans_, plan, [](auto const& entry) { return entry.first; });
    if (known == plans_.end())
      plans_.emplace_back(plan, filter);
    else
      known->second += ", " + filter;
  }

  std::string const word_;
  std::vector<std::pair<std::string, std::string>> plans_; ///< with the filters that have it
};

class ListingPlans : public testing::Test {
protected:
  ListingPlans() {
    auto pattern = (std::filesystem::temp_directory_path() / "vitrine-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    rows_ = std::make_unique<TestStore>(directory_);
    database_ = rows_->open().value();
    if (postgres()) keep_others_off();
    auto const filled = Crowd::fill(*database_);
    EXPECT_TRUE(filled) << filled.error().detail;
    if (postgres()) gather_statistics();
  }
  ~ListingPlans() override {
    database_.reset();
    rows_.reset();
    std::filesystem::remove_all(directory_);
  }

  static bool postgres() { return chosen_engine() == TestEngine::postgres; }

  // Each run sees the same: for a column that no plan asks about, the sample is as large as the
  // table, and nobody takes another one.
  void keep_others_off() {
    execute({"ALTER TABLE images ALTER COLUMN properties SET STATISTICS 1000",
             "ALTER TABLE image_members ALTER COLUMN updated_at SET STATISTICS 1000",
             "ALTER TABLE image_terms ALTER COLUMN image_id SET STATISTICS 1000",
             "ALTER TABLE images SET (autovacuum_enabled = false)",
             "ALTER TABLE image_members SET (autovacuum_enabled = false)",
             "ALTER TABLE image_terms SET (autovacuum_enabled = false)"});
  }

  // Plans also go by how much of a table is known to be visible to all, which whoever works on
  // another table at the moment may hold up.
  void gather_statistics() {
    sql::Statement const asked{"visible",
                               "SELECT bool_and(relallvisible >= relpages)::int::bigint FROM "
                               "pg_class WHERE relname IN ('images', 'image_members', "
                               "'image_terms')"};
    bool all_visible = false;
    for (int i = 0; i < 100 && !all_visible; ++i) {
      execute({"VACUUM ANALYZE"});
      EXPECT_TRUE(database_->read([&](Connection& connection) {
        return connection.run(asked, {},
                              [&](Row const& row) { all_visible = row.integer(0) == 1; });
      }));
    }
    EXPECT_TRUE(all_visible);
  }

  void execute(std::initializer_list<char const*> statements) {
    auto const connection = postgres::PostgresConnection::open({.url = rows_->url()}).value();
    for (auto const* statement : statements)
      EXPECT_TRUE(connection->execute(statement)) << statement;
  }

  std::string version() {
    std::string version;
    sql::Statement const asked{"version", postgres() ? "SELECT split_part(version(), '.', 1)"
                                                     : "SELECT 'SQLite ' || sqlite_version()"};
    EXPECT_TRUE(database_->read([&](Connection& connection) {
      return connection.run(asked, {}, [&](Row const& row) { version = row.string(0); });
    }));
    return version;
  }

  std::string plan_of(ImageListing const& listing) {
    auto const plan = plan_of(
        "list_images", [&](Connection& connection) { return list_images(connection, listing); });
    // The images themselves, once their ids are there.
    auto const end = plan.rfind(" > ");
    EXPECT_TRUE(plan.ends_with(postgres() ? "images_pkey (id)" : "i by primary key (id)")) << plan;
    return plan.substr(0, end);
  }
  std::string plan_of(Registered const& one) {
    return plan_of(one.statement.name, [&](Connection& connection) {
      return connection.run(one.statement, std::span(one.params), {});
    });
  }

  /// Asks for the plan of a list, with what is wrong with it.
  std::string checked_plan(NamedSets const& sets, Filter const& filter, Order const& order) {
    auto plan = plan_of(listing_of(sets.sets, filter, order));
    auto const name = fmt::format("{}, by {} {}, {}: {}: {}", sets.name, order.key.name,
                                  order.descending ? "desc" : "asc", order.deep ? "deep" : "first",
                                  filter.name, plan);
    EXPECT_FALSE(plan.contains("whole ")) << name;
    EXPECT_TRUE(may_sort(sets.sets, filter, order) || !plan.contains("sort(")) << name;
    return plan;
  }

  /// The lines of all lists of one set by one key.
  std::string golden_lines(NamedSets const& sets, NamedColumn const& key) {
    auto text = fmt::format("\n{}, by {}\n", sets.name, key.name);
    // What a project received is few: whatever an engine does with a filter of it is as good.
    auto const filters = std::span(kFilters).first(sets.sets.received ? 1 : kFilters.size());
    for (bool const deep : {false, true}) {
      Lines lines(deep ? "deep" : "first");
      for (auto const& filter : filters) {
        lines.add(filter, checked_plan(sets, filter, {key, false, deep}),
                  checked_plan(sets, filter, {key, true, deep}));
      }
      text += lines.text();
    }
    return text;
  }

  std::filesystem::path directory_;
  std::unique_ptr<TestStore> rows_;
  std::unique_ptr<Database> database_;

private:
  template <class Run>
  std::string plan_of(std::string_view name, Run const& run) {
    auto plan = database_->read([&](Connection& connection) -> Result<std::string> {
      Explainer explainer(connection, name);
      TRY(run(explainer));
      return explainer.plan();
    });
    EXPECT_TRUE(plan) << name;
    return plan ? *plan : "";
  }
};

std::string read_file(std::filesystem::path const& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(ListingPlans, ReadNoSetWholeAndAreTheGoldenOnes) {
  std::string text = version() + "\n";
  for (auto const& one : registered()) {
    auto const plan = plan_of(one);
    EXPECT_FALSE(plan.contains("whole ")) << one.statement.name << ": " << plan;
    text += fmt::format("\n{}\n  {}\n", one.statement.name, plan);
  }
  for (auto const& sets : all_sets()) {
    for (auto const& key : kSortKeys)
      text += golden_lines(sets, key);
    text += fmt::format("\n{}, by name asc, size desc\n{}{}", sets.name,
                        line("first", plan_of(mixed_listing(sets.sets, false))),
                        line("deep", plan_of(mixed_listing(sets.sets, true))));
  }
  auto const file = std::filesystem::path(VITRINE_TEST_DATA) / "golden" /
                    fmt::format("plans.{}.txt", postgres() ? "postgres" : "sqlite");
  if (std::getenv("VITRINE_WRITE_GOLDEN") != nullptr) std::ofstream(file) << text;
  auto const known = read_file(file);
  // Another release may choose otherwise: of it only what stands above is asked.
  if (!known.starts_with(version() + "\n")) GTEST_SKIP() << version() << " has no golden file";
  EXPECT_EQ(known, text) << "look at the difference after VITRINE_WRITE_GOLDEN=1";
}

} // namespace
} // namespace vitrine::store
