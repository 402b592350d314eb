// What must be right before a service moves, beside its rows and image data.
#pragma once

#include "base/result.hpp"
#include "ops/config.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/rename_projects.hpp"

#include <string>

namespace vitrine::app {

/// Reads the file of `--projects`: a line `OLD NEW` for each project, `#` begins a comment; none
/// when `file` is empty. Errors: `unavailable`, `invalid_value` with the line.
Result<store::ProjectIds> read_project_ids(std::string const& file);

/// Where the new configuration asks a Keystone, it must be said of each project of the built-in
/// identity which one of it that is: nobody would see its images otherwise. Errors: `conflict` with
/// the projects that are missing; `invalid_value` when ids are given and projects stay what they
/// are.
Result<> check_projects(store::Database& database, ops::Config const& config,
                        store::ProjectIds const& ids);

/// The keys of encrypted images must be in the key service of the new configuration, of which
/// `home` is the directory. Errors: `conflict` with what is missing; those of the key service.
Result<> check_image_keys(store::Database& database, std::string const& home,
                          ops::Config const& config);

/// Jobs that have not ended must be able to go on: users that stay behind cannot be asked about,
/// files in buckets that stay behind not be read. Error: `conflict`.
Result<> check_jobs(store::Database& database, ops::Config const& config, bool buckets_stay);

} // namespace vitrine::app
