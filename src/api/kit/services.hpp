// Everything an endpoint may use. Built once in app/, passed by reference, thread-safe.
#pragma once

namespace vitrine {
class Clock;
namespace identity {
class Authenticator;
class SignedRequests;
namespace builtin {
class Directory;
}
} // namespace identity
namespace jobs {
class Submitter;
}
namespace model {
class ImageStores;
class Mandates;
} // namespace model
namespace ops {
class Health;
class Metrics;
struct Config;
} // namespace ops
namespace service {
class Access;
class Captures;
class Copies;
class Downloads;
class Exports;
class Images;
class Imports;
class OsVersions;
class Quotas;
class Sharing;
class Tags;
class Uploads;
} // namespace service
} // namespace vitrine

namespace vitrine::api {

class Spools;

struct Services {
  Clock const& clock;
  ops::Config const& config;
  ops::Metrics& metrics;
  ops::Health const& health;
  service::Access const& access;
  model::ImageStores const& image_stores;
  service::Images& images;
  service::OsVersions const& os_versions;
  service::Uploads& uploads;
  service::Downloads& downloads;
  service::Sharing& sharing;
  service::Copies const& copies;
  service::Imports const& imports;
  service::Exports const& exports;
  service::Captures const& captures;
  service::Tags const& tags;
  service::Quotas& quotas;
  jobs::Submitter& jobs;
  model::Mandates& mandates;
  identity::Authenticator& authenticator;
  identity::SignedRequests& signed_requests;
  Spools& spools;
  identity::builtin::Directory* directory; ///< null when Keystone answers for identity
};

} // namespace vitrine::api
