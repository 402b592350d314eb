#include "ops/config_key_parts.hpp"

#include <fmt/format.h>

namespace vitrine::ops {
namespace {

std::vector<Key> server_keys() {
  return {
      {"server",
       "role",
       CHOICE(server, role),
       "api: answers clients, and leaves jobs, audit trail and tidying to servers of role worker, "
       "which answer /healthcheck and /metrics only. Both need a PostgreSQL and an object store.",
       0,
       0,
       {"all", "api", "worker"}},
      {"server",
       "listen",
       SLOT(server, listen),
       "Address and port to listen on; an IPv6 address stands in brackets, port 0 takes a free "
       "one.",
       0,
       0,
       {},
       check_listen},
      {"server",
       "public_endpoint",
       SLOT(server, public_endpoint),
       "Base URL that clients reach this service at, for links, the catalog and clouds.yaml. "
       "Empty: taken from each request's Host.",
       0,
       0,
       {},
       check_endpoint},
      {"server",
       "trusted_proxies",
       SLOT(server, trusted_proxies),
       "Addresses or networks whose X-Forwarded-For, -Proto, -Host and -Prefix are believed.",
       0,
       0,
       {},
       check_network},
      input_file("server", "certificate_file", SLOT(server, certificate_file),
                 "PEM file with the certificate chain; with key_file it switches TLS on. Read "
                 "again on SIGHUP.",
                 Applies::on_reload),
      input_file("server", "key_file", SLOT(server, key_file),
                 "PEM file with the private key of the certificate. Read again on SIGHUP.",
                 Applies::on_reload),
      {"server", "io_threads", SLOT(server, io_threads), "Event loops for connections.", 1, 64},
      {"server", "api_threads", SLOT(server, api_threads),
       "Requests that are handled at once. Those that hash a password have two threads of their "
       "own beside these, and so have those with a body of more than 16 KiB.",
       1, 1024},
      {"server", "transfer_threads", SLOT(server, transfer_threads),
       "Chunks of image data that are stored at once.", 1, 256},
      {"server", "queue_max", SLOT(server, queue_max),
       "Requests that may wait for a thread of either kind; further ones are answered 503.", 1,
       1'000'000},
      {"server", "connections_max", SLOT(server, connections_max), "Open connections.", 1,
       1'000'000},
      {"server", "idle_timeout_seconds", SLOT(server, idle_timeout_seconds),
       "A kept connection without a request is closed after this time.", 1, 3600},
      {"server", "head_timeout_seconds", SLOT(server, head_timeout_seconds),
       "Time for the head of a request to arrive.", 1, 600},
      {"server", "body_timeout_seconds", SLOT(server, body_timeout_seconds),
       "A body of which nothing arrives for this time is given up.", 1, 3600},
      {"server", "body_bytes_per_second_min", SLOT(server, body_bytes_per_second_min),
       "A body that arrives slower than this, averaged over body_timeout_seconds, is given up. "
       "0: no limit.",
       0, 1'000'000'000},
      {"server", "drain_seconds", SLOT(server, drain_seconds),
       "On SIGTERM, how long running requests may take to finish.", 0, 86'400},
  };
}

std::vector<Key> image_keys() {
  return {
      {"compat",
       "profile",
       CHOICE(compat, profile),
       "ims: native answers carry the `__*` attributes and images start private; glance: exactly "
       "as "
       "the OpenStack service.",
       0,
       0,
       {"ims", "glance"}},
      {"images", "size_bytes_max", SLOT(images, size_bytes_max), "Largest image, in bytes.", 1,
       INT64_MAX},
      {"images", "member_max", SLOT(images, member_max), "Members of an image.", 1, kCountMax},
      {"images", "property_max", SLOT(images, property_max), "Custom properties of an image.", 0,
       kCountMax},
      {"images", "tag_max", SLOT(images, tag_max), "Tags of an image.", 0, kCountMax},
      {"images", "page_default", SLOT(images, page_default),
       "Rows of a page when none are asked for.", 1, 10'000},
      {"images", "page_max", SLOT(images, page_max),
       "Rows of a page at most; more are cut, not refused.", 1, 10'000},
      {"images", "unique_names", SLOT(images, unique_names),
       "Refuse to create an image with, or give it, a name that another image of the project has."},
      {"images", "copy_size_bytes_max", SLOT(images, copy_size_bytes_max),
       "Largest image that may be copied where a key is involved, in bytes.", 1, INT64_MAX},
      {"images",
       "os_version_policy",
       CHOICE(images, os_version_policy),
       "An os_version that no list has is refused by the extension (strict), or its platform, type "
       "and bits are guessed from its words (open).",
       0,
       0,
       {"strict", "open"}},
      input_file("images", "os_versions_file", SLOT(images, os_versions_file),
                 "More operating systems: a file of columns with tabs between them, whose first "
                 "line names them: platform, os_version, os_bit (32, 64), os_type (Linux, Windows, "
                 "Other), uefi (yes, no). Its lines stand over those of the list of the build."),
      {"formats", "allow_raw_mismatch", SLOT(formats, allow_raw_mismatch),
       "Take bytes of a structured format that are declared raw. A guest could then read files of "
       "the host through a disguised backing file."},
      {"convert", "directory", SLOT(convert, directory),
       "Directory for images while they are converted; it must have room for the largest disk. "
       "Empty: convert in the storage directory."},
      {"convert", "qemu_img", SLOT(convert, qemu_img),
       "The program qemu-img, below /usr. Where there is none, only raw, zvhd and zvhd2 are "
       "converted into each other."},
      {"convert", "timeout_seconds", SLOT(convert, timeout_seconds),
       "How long one run of qemu-img may take.", 1, 7 * kDaySeconds},
      {"convert", "memory_mib", SLOT(convert, memory_mib),
       "Address space that one run of qemu-img may have.", 128, 65'536},
      {"convert", "parallel", SLOT(convert, parallel), "Images that are converted at once.", 1, 64},
      {"quota", "image", SLOT(quota, image), "Images of a project.", 0, kCountMax},
      {"quota", "image_shared", SLOT(quota, image_shared),
       "Images of a project that have an accepted member.", 0, kCountMax},
      {"quota", "image_member", SLOT(quota, image_member),
       "Members of an image, as the quota shows it.", 0, kCountMax},
      {"quota", "apply_to_native", SLOT(quota, apply_to_native),
       "Hold the image quota on POST /v2/images too: 413 beyond it."},
  };
}

std::vector<Key> spool_keys() {
  return {
      {"spool", "directory", SLOT(spool, directory),
       "Directory for image data that is signed with an access key and whose SHA-256 no header "
       "tells: it waits there, in files without a name, until the signature can be checked. Empty: "
       "the storage directory. A twentieth of its disk is left free, 4 GiB at most."},
      {"spool", "size_bytes_max", SLOT(spool, size_bytes_max),
       "Such data of one image, in bytes; more is answered 413. 0: none is taken.", 0, INT64_MAX},
      {"spool", "total_bytes_max", SLOT(spool, total_bytes_max),
       "All of it that is under way, in bytes. One access key at one address takes half of what "
       "the others leave; more is answered 503.",
       0, INT64_MAX},
      {"spool", "timeout_seconds", SLOT(spool, timeout_seconds),
       "How long such data may take to arrive; then it is answered 408.", 1, kDaySeconds},
  };
}

std::vector<Key> operation_keys() {
  return {
      {"jobs", "workers", SLOT(jobs, workers), "Quick jobs that run at once.", 1, 256},
      {"jobs", "carriers", SLOT(jobs, carriers),
       "Jobs that carry image data and run at once, beside the quick ones: imports, exports, "
       "and copies where a key is involved.",
       1, 256},
      {"jobs", "lease_seconds", SLOT(jobs, lease_seconds),
       "A worker silent for this time is taken for dead and its job given to another.", 1, 3600},
      {"jobs", "poll_seconds", SLOT(jobs, poll_seconds),
       "How often idle workers look for jobs that nobody announced.", 1, 600},
      {"jobs", "retention_days", SLOT(jobs, retention_days), "How long an ended job can be read.",
       1, 3650},
      input_file("policy", "file", SLOT(policy, file),
                 "Policy file, YAML or JSON. Empty: the defaults. Read again on SIGHUP.",
                 Applies::on_reload),
      {"policy", "role_aliases", SLOT(policy, role_aliases),
       "Roles that count as another one, such as te_admin = \"member\"."},
      output_file("audit", "file", SLOT(audit, file),
                  "File that audit events are appended to, one JSON object a line. Empty: "
                  "audit.jsonl in the storage directory. Opened again on SIGHUP."),
      {"log",
       "level",
       CHOICE(log, level),
       "What is logged, and all that is graver.",
       0,
       0,
       {"debug", "info", "warning", "error", "off"}},
      {"log",
       "format",
       CHOICE(log, format),
       "json: one JSON object a line; text: for people.",
       0,
       0,
       {"json", "text"}},
      output_file("log", "file", SLOT(log, file),
                  "File that log lines are appended to. Empty: standard error. Opened again on "
                  "SIGHUP."),
      {"metrics", "enabled", SLOT(metrics, enabled), "Serve GET /metrics."},
      {"metrics", "per_project", SLOT(metrics, per_project),
       "Add the project to the labels; costs memory with many projects."},
  };
}

} // namespace

std::string Key::full_name() const { return fmt::format("{}.{}", section, name); }

std::string Key::variable() const {
  auto text = fmt::format("VITRINE_{}_{}", section, name);
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '.' || c == '-') c = '_';
  }
  return text;
}

std::span<Key const> config_keys() {
  static std::vector<Key> const keys = [] {
    std::vector<Key> all;
    auto const s3 = s3_keys("s3", [](Config& config) -> S3Config& { return config.s3; });
    for (auto const& part : {server_keys(), storage_keys(), s3, buckets_keys(), key_keys(),
                             compute_keys(), block_storage_keys(), image_keys(), spool_keys(),
                             keystone_keys(), identity_keys(), operation_keys()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return keys;
}

} // namespace vitrine::ops
