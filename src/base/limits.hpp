// Every limit, named once, with its source. Configurable ones are the defaults of `ops/config.cpp`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::limits {

// Sharing (contract: ims-api 5.1, D11, D14, D15)
constexpr std::size_t share_images = 100;       ///< images of one members request
constexpr std::size_t share_projects = 256;     ///< projects of one members request
constexpr std::size_t image_members = 256;      ///< members of an image, any status
constexpr std::size_t full_server_members = 10; ///< members of a full-server image

// Image documents (contract: glance-v2 1.4)
// Tags of the extension (contract: ims-api 9.2)
constexpr std::size_t ims_image_tags = 10;
constexpr std::size_t ims_tag_key_characters = 36;
constexpr std::size_t ims_tag_value_characters = 43;
constexpr std::size_t ims_removed_key_characters = 127;
constexpr std::size_t ims_queried_key_characters = 128;
constexpr std::size_t ims_queried_keys = 10;
constexpr std::size_t ims_queried_values = 10; ///< of one key
constexpr std::int64_t ims_tagged_page_default = 10;
constexpr std::int64_t ims_tagged_page_max = 1000;

constexpr std::size_t ims_name_characters = 128;
constexpr std::size_t ims_description_characters = 1024;
constexpr std::size_t image_properties = 128;
constexpr std::size_t image_tags = 128;
constexpr std::size_t name_characters = 255;
constexpr std::size_t property_name_characters = 255;
constexpr std::size_t property_value_bytes = 65'535;
constexpr std::size_t image_properties_bytes = 1U << 20U; ///< of one image, as stored; ours
constexpr std::size_t tag_characters = 255;
constexpr std::int64_t minimum_size_max = 2'147'483'647; ///< min_disk, min_ram

// Image documents of the extension (contract: ims-api 3.4, 6.3.1)
constexpr std::size_t os_version_characters = 255;
constexpr std::int64_t memory_mib = 1'048'576; ///< min_ram, max_ram
constexpr std::int64_t disk_gib = 2048;        ///< min_disk

// Listing (contract: glance-v2 1.4, ims-api 5.4, 6.1)
constexpr std::int64_t page_default = 25;
constexpr std::int64_t page_max = 1000;
constexpr std::int64_t member_page_default = 256;
constexpr std::int64_t extension_page_default = 500;
constexpr std::int64_t extension_page_max = 1000;

// Requests (contract: ims-api 2.1; cases HT-07)
constexpr std::size_t json_body_bytes = 1U << 20U;
/// Of an endpoint that asks for no token, of which a login is the longest: what anybody may send
/// must not take the memory meant for long bodies.
constexpr std::size_t open_body_bytes = 16U << 10U;
constexpr std::size_t request_id_characters = 64;

// Data (contract: glance-v2 1.4)
constexpr std::int64_t image_size_bytes = 1'099'511'627'776;

// Jobs (contract: ims-api 4.3)
constexpr std::int64_t copy_size_bytes = 137'438'953'472; ///< 128 GiB
constexpr std::int64_t import_disk_gib = 1024;            ///< min_disk of a system disk
constexpr std::int64_t import_data_disk_gib = 2048;
constexpr std::int64_t import_data_disks = 3; ///< beside the system disk (contract: ims-api 6.3.2)
constexpr std::int64_t capture_volumes = 24;  ///< of one request (contract: ims-api 6.3.4)
constexpr std::int64_t import_size_bytes = 137'438'953'472;         ///< 128 GiB
constexpr std::int64_t quick_import_size_bytes = 1'099'511'627'776; ///< 1 TiB
constexpr std::int64_t export_size_bytes = 137'438'953'472; ///< 128 GiB, unless exported as stored
constexpr std::int64_t create_jobs = 40;                    ///< of the service, that have not ended
constexpr std::int64_t copy_jobs = 5;                       ///< of a project, that have not ended
constexpr std::int64_t job_retention_seconds = 30 * 24 * 3600;

} // namespace vitrine::limits
