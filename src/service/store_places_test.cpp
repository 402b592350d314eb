#include "service/store_places.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/blobs/proven_blobs.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/database_id.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/running_uploads.hpp"

#include <atomic>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace vitrine::service {
namespace {

namespace fs = std::filesystem;

class StorePlaces : public testing::Test {
protected:
  StorePlaces() : directory_(made()), rows_(directory_), database(rows_.open().value()) {
    blobs = store::FilesystemBlobs::open(directory_ / "place").value();
  }
  ~StorePlaces() override {
    database.reset();
    fs::remove_all(directory_);
  }

  /// Puts a byte there.
  void keep(BlobId const& id) {
    auto writer = blobs->create(id, {}).value();
    ASSERT_TRUE(writer->write(std::as_bytes(std::span("x", 1))));
    ASSERT_TRUE(writer->commit());
  }
  /// A row of an image's data.
  void know(BlobId const& id) {
    ASSERT_TRUE(database->write([&](store::Connection& connection) {
      return store::BlobIndex(connection).insert(id, 1, id.text, Time{0});
    }));
  }
  std::string id_of_database() {
    return database
        ->write([](store::Connection& connection) {
          return store::make_database_id(connection, new_hex_id());
        })
        .value();
  }
  std::string refusal(std::string_view key = {}) {
    return why_misplaced(*database, *blobs, *blobs, key).value().value_or("none");
  }
  std::optional<std::string> mark() { return blobs->mark().value(); }

private:
  static fs::path made() {
    std::string name = (fs::temp_directory_path() / "vitrine_places_XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  fs::path const directory_;
  store::TestStore const rows_;

protected:
  std::unique_ptr<store::Database> database;
  std::unique_ptr<store::FilesystemBlobs> blobs;
};

// A database that a place refuses stays as it is: `vitrine db move` wants an empty one.
TEST_F(StorePlaces, a_database_gets_its_id_with_the_first_place_that_takes_it) {
  keep({new_hex_id()});
  EXPECT_NE(refusal(), "none");
  EXPECT_EQ(database->read(store::database_id).value(), "");
  ASSERT_TRUE(blobs->set_mark("0123"));
  EXPECT_EQ(refusal(), "it belongs to another database: its vitrine-store says 0123, this one is "
                       "new. If the data is of this one all the same, empty that vitrine-store");
  ASSERT_TRUE(blobs->set_mark(""));
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(database->read(store::database_id).value(), mark());
}

TEST_F(StorePlaces, a_database_has_one_id) {
  auto const id = id_of_database();
  EXPECT_TRUE(is_job_id(id)) << "32 hex digits: " << id;
  EXPECT_EQ(id_of_database(), id);
}

TEST_F(StorePlaces, a_new_place_is_marked) {
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(mark(), id_of_database());
  keep({new_hex_id()}); // a stray of ours
  EXPECT_EQ(refusal(), "none");
}

// What is there was removed as nobody's.
TEST_F(StorePlaces, data_that_the_rows_do_not_know_is_of_another_database) {
  BlobId const theirs{new_hex_id()};
  keep(theirs);
  EXPECT_NE(refusal().find("holds image data that the database does not know"), std::string::npos);
  know({new_hex_id()});
  EXPECT_NE(refusal().find("none of the image data"), std::string::npos);
  EXPECT_EQ(mark(), std::nullopt);
  EXPECT_TRUE(blobs->open(theirs));
}

// A server that was killed before it removed its last image would not have started again.
TEST_F(StorePlaces, what_no_image_has_any_more_is_known) {
  BlobId const unused{new_hex_id()};
  BlobId const begun{new_hex_id()};
  know(unused);
  ASSERT_TRUE(database->write([&](store::Connection& connection) -> Result<> {
    TRY(store::BlobIndex(connection).drop_reference(unused));
    return store::RunningUploads(connection).add(begun, "server", Time{0});
  }));
  keep(unused);
  keep(begun);
  EXPECT_EQ(refusal(), "none");
}

TEST_F(StorePlaces, a_database_restored_from_before_it_had_an_id_takes_that_of_its_data) {
  BlobId const kept{new_hex_id()};
  auto const id = new_hex_id();
  know(kept);
  ASSERT_TRUE(blobs->set_mark(id));
  EXPECT_NE(refusal(), "none");
  keep(kept);
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(id_of_database(), id);
}

TEST_F(StorePlaces, a_place_without_a_mark_is_known_by_one_of_its_blobs) {
  BlobId const lost{new_hex_id()};
  BlobId const kept{new_hex_id()};
  know(lost);
  know(kept);
  EXPECT_NE(refusal().find("none of the image data"), std::string::npos);
  keep(kept);
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(mark(), id_of_database());
}

TEST_F(StorePlaces, a_further_store_is_known_by_its_own_blobs) {
  BlobId const of_first{new_hex_id()};
  know(of_first);
  know({new_hex_id() + "@cold"});
  keep(of_first);
  EXPECT_NE(refusal("cold").find("none of the image data"), std::string::npos);
  EXPECT_EQ(refusal(), "none");
}

TEST_F(StorePlaces, the_mark_of_another_database_stands_over_what_is_there) {
  auto const id = id_of_database();
  BlobId const kept{new_hex_id()};
  know(kept);
  keep(kept);
  ASSERT_TRUE(blobs->set_mark("0123"));
  EXPECT_TRUE(refusal().starts_with(
      "it belongs to another database: its vitrine-store says 0123, this one is " + id));
  EXPECT_EQ(mark(), "0123");
  EXPECT_TRUE(why_of_another(*database, *blobs).value());
  ASSERT_TRUE(blobs->set_mark(id));
  EXPECT_FALSE(why_of_another(*database, *blobs).value());
}

TEST_F(StorePlaces, an_empty_mark_is_the_word_of_an_operator) {
  know({new_hex_id()});
  keep({new_hex_id()});
  ASSERT_TRUE(blobs->set_mark("\n"));
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(mark(), id_of_database());
}

TEST_F(StorePlaces, nothing_is_done_in_a_place_before_it_is_proven) {
  int asked = 0;
  bool is_right = false;
  store::ProvenBlobs proven(std::move(blobs), [&]() -> Result<> {
    ++asked;
    return is_right ? Result<>() : error(Fault::unavailable, "not yet");
  });
  BlobId const id{new_hex_id()};
  EXPECT_EQ(proven.create(id, {}).error().detail, "not yet");
  EXPECT_EQ(proven.open(id).error().detail, "not yet");
  EXPECT_EQ(proven.remove(id).error().detail, "not yet");
  EXPECT_EQ(proven.list([](store::StoredBlob const&) {}).error().detail, "not yet");
  EXPECT_EQ(proven.look().error().detail, "not yet");
  is_right = true;
  EXPECT_TRUE(proven.look());
  EXPECT_EQ(proven.open(id).error().fault, Fault::not_found);
  EXPECT_EQ(asked, 6) << "once it is proven nobody asks";
}

// Each asked for himself, one after the other, whatever time the store took.
TEST_F(StorePlaces, who_waits_for_an_answer_has_that_one) {
  std::atomic<int> asked{0};
  std::shared_future<void> released;
  store::ProvenBlobs proven(std::move(blobs), [&]() -> Result<> {
    ++asked;
    released.wait();
    return error(Fault::unavailable, "hangs");
  });
  // Who comes when the answer is there already may ask anew, so one of these rounds must do.
  for (int round = 0; round < 100 && asked != 1; ++round) {
    std::promise<void> release;
    released = release.get_future().share();
    asked = 0;
    std::atomic<int> came{0};
    std::vector<std::future<std::string>> users;
    users.reserve(4);
    for (int i = 0; i < 4; ++i) {
      users.push_back(std::async(std::launch::async, [&] {
        ++came;
        return proven.look().error().detail;
      }));
    }
    while (came < 4 || asked == 0)
      std::this_thread::yield();
    release.set_value();
    for (auto& user : users)
      EXPECT_EQ(user.get(), "hangs");
  }
  EXPECT_EQ(asked, 1);
}

} // namespace
} // namespace vitrine::service
