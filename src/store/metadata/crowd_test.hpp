// For tests: a database with so many rows that an engine's choice of a plan tells something.
#pragma once

#include "store/metadata/database.hpp"
#include "store/metadata/terms.hpp"

#include <fmt/format.h>

namespace vitrine::store {

/// 40,000 images, half of them of project p0, half public, with members, terms, jobs and blobs:
/// sets so large that to read and sort one whole is never the shortest way to a page. Written by
/// SQL, since a unit of work for each image would take minutes.
class Crowd {
public:
  static constexpr Time kStart{1'700'000'000'000'000};
  static constexpr std::int64_t kSecond = kMicrosecondsPerSecond;

  static Result<> fill(Database& database) {
    return database.write([](Connection& connection) -> Result<> {
      TRY(add_images(connection));
      for (int project = 0; project < 7; ++project)
        TRY(add_members(connection, project));
      TRY(add_terms(connection, {TermScope::By::owner, "p0", false}, "owner = 'p0'"));
      for (auto const* visibility : {"public", "shared"}) {
        TRY(add_terms(connection, {TermScope::By::visibility, visibility, false},
                      fmt::format("visibility = '{}'", visibility)));
      }
      TRY(add_jobs(connection));
      TRY(add_uploads(connection));
      return add_blobs(connection);
    });
  }

private:
  // Runs `INSERT INTO {head} SELECT {values}`, where `i` counts from 1.
  static Result<> insert(Connection& connection, std::string_view head, int count,
                         std::string_view values) {
    auto const text =
        fmt::format("INSERT INTO {} WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL "
                    "SELECT i + 1 FROM n WHERE i < {}) SELECT {} FROM n",
                    head, count, values);
    TRY(connection.run({"fill", text}, {}));
    return {};
  }

  static Result<> add_images(Connection& connection) {
    return insert(
        connection,
        "images (id, owner, name, status, visibility, auto_shared, protected, hidden, "
        "deactivated_by_admin, disk_format, container_format, min_disk, min_ram, size, "
        "virtual_size, checksum, hash_value, blob_id, created_at, updated_at, active_at, "
        "properties, tags, member_count, upload_id, upload_error)",
        40'000,
        "CAST(100000 + i * 7919 % 100003 AS TEXT), "
        "CASE WHEN i % 2 = 0 THEN 'p0' ELSE 'p' || CAST(1 + i % 19 AS TEXT) END, "
        "CASE WHEN i % 11 > 0 THEN 'image-' || CAST(i % 10000 AS TEXT) END, "
        "CASE WHEN i % 17 = 0 THEN 'queued' ELSE 'active' END, "
        "CASE WHEN i / 2 % 10 < 5 THEN 'public' WHEN i / 2 % 10 < 8 THEN 'shared' "
        "WHEN i / 2 % 10 = 8 THEN 'community' ELSE 'private' END, "
        "0, CASE WHEN i % 3 = 0 THEN 1 ELSE 0 END, "
        "CASE WHEN i % 13 = 0 THEN 1 ELSE 0 END, 0, "
        "CASE i % 4 WHEN 0 THEN 'raw' WHEN 1 THEN 'qcow2' WHEN 2 THEN 'vmdk' END, "
        "'bare', i % 50, i % 7 * 256, "
        "CASE WHEN i % 17 > 0 THEN i * 1048576 END, "
        "CASE WHEN i % 17 > 0 THEN i * 2097152 END, "
        "'c' || CAST(i AS TEXT), 'h' || CAST(i AS TEXT), 'b' || CAST(i AS TEXT), "
        "1700000000000000 + i * 1000000, "
        "1700000000000000 + i * 1000000 + i % 1000 * 1000000, "
        "1700000000000000 + i * 1000000, " +
            fmt::format("'{{\"os\":\"linux\",\"pad\":\"{}\"}}', ", std::string(400, 'x')) +
            "'[\"common\"]', CASE WHEN i / 2 % 10 IN (5, 6, 7) AND i % 3 > 0 THEN 7 ELSE 0 END, "
            "CASE WHEN i % 4000 = 0 THEN 'u' || CAST(i AS TEXT) ELSE '' END, ''");
  }

  // What each of 7 projects received: as much as other projects have members of their own.
  static Result<> add_members(Connection& connection, int project) {
    static constexpr sql::Statement statement{
        "fill", "INSERT INTO image_members (image_id, project_id, status, created_at, updated_at, "
                "image_created_at) SELECT id, $1, CASE created_at / 1000000 % 4 WHEN 0 THEN "
                "'pending' WHEN 1 THEN 'rejected' ELSE 'accepted' END, created_at, created_at, "
                "created_at FROM images WHERE member_count > 0 AND owner <> $1 "
                "AND created_at / 1000000 % 7 = $2"};
    TRY(connection.run(statement, {fmt::format("p{}", project), project}));
    return {};
  }

  // What all images of a scope hold, and what one of a hundred does.
  static Result<> add_terms(Connection& connection, TermScope const& scope,
                            std::string_view images) {
    auto const add = [&](std::int64_t term, int step) -> Result<> {
      auto const text = fmt::format(
          "INSERT INTO image_terms (term, created_at, image_id) SELECT {}, created_at, id FROM "
          "images WHERE {} AND hidden = 0 AND created_at / 1000000 % {} = 0",
          term, images, step);
      TRY(connection.run({"fill", text}, {}));
      return {};
    };
    for (auto const* tag : {"common", "t1", "t2", "t3", "t4"})
      TRY(add(tag_term(scope, tag), 1));
    TRY(add(tag_term(scope, "rare"), 100));
    TRY(add(property_term(scope, "os", "linux"), 1));
    return add(property_term(scope, "os", "plan9"), 100);
  }

  static Result<> add_jobs(Connection& connection) {
    TRY(insert(connection,
               "jobs (id, kind, project_id, status, arguments, caller, submitted_at, ended_at, "
               "done, total, attempt, worker, lease_until, fault, fault_detail)",
               5000,
               "'j' || CAST(i AS TEXT), 'add_members', 'p0', "
               "CASE WHEN i % 500 = 0 THEN 'INIT' ELSE 'SUCCESS' END, '', '', "
               "i * 1000000, CASE WHEN i % 500 > 0 THEN i * 1000000 END, 4, 4, 1, '', 0, '', ''"));
    TRY(insert(connection, "job_items (job_id, position, image_id, failures)", 20'000,
               "'j' || CAST(i / 4 AS TEXT), i % 4, CAST(i AS TEXT), ''"));
    return insert(connection, "job_images (image_id, sequence)", 1000,
                  "CAST(i AS TEXT), (1 + i / 101) * 500");
  }

  static Result<> add_uploads(Connection& connection) {
    return insert(connection, "uploads (id, server, touched_at)", 2000,
                  "'u' || CAST(i * 4000 AS TEXT), 's', i * 1000000");
  }

  static Result<> add_blobs(Connection& connection) {
    return insert(connection, "blobs (id, size, hash_value, refs, created_at)", 20'000,
                  "'b' || CAST(i AS TEXT), i * 1048576, 'h' || CAST(i AS TEXT), "
                  "CASE WHEN i % 1000 = 0 THEN 0 ELSE 1 END, i * 1000000");
  }
};

} // namespace vitrine::store
