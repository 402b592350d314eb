// Requests as a tenant sends them: query strings, JSON bodies, JSON patches, through the whole
// service. The input is `METHOD TARGET`, a line with the media type, and the body.
//
// Beyond the sanitizers: nothing a client sends is answered 500, what is called JSON is JSON, and
// nothing of another tenant's is ever in an answer.
#include "api/endpoints.hpp"
#include "api/kit/dispatcher.hpp"
#include "app/house.hpp"
#include "base/json.hpp"
#include "identity/authenticator.hpp"
#include "identity/builtin/bootstrap.hpp"
#include "ops/log.hpp"

#include <filesystem>
#include <unistd.h>

namespace {

using namespace vitrine;

constexpr std::string_view kSecret = "of-another-tenant";
constexpr std::size_t kBodyBytesMax = 64U << 10U;

// Whoever holds the token "mine" or "theirs".
class TwoTenants final : public identity::Authenticator {
public:
  Result<std::shared_ptr<model::Caller const>> caller_of(identity::Shown const& shown) override {
    if (auto caller = known_caller(shown)) return caller;
    return error(Fault::unauthenticated);
  }
  std::shared_ptr<model::Caller const> known_caller(identity::Shown const& shown) override {
    if (shown.token == "mine") return mine_;
    if (shown.token == "theirs") return theirs_;
    return nullptr;
  }
  void forget_callers() noexcept override {}
  [[nodiscard]] std::string auth_url(std::string_view base_url) const override {
    return std::string(base_url) + "/v3";
  }

private:
  static std::shared_ptr<model::Caller const> member(std::string project) {
    model::Caller caller;
    caller.user.text = "user-" + project;
    caller.project.text = std::move(project);
    caller.domain.text = "default";
    caller.roles = {"member", "reader"};
    return std::make_shared<model::Caller const>(std::move(caller));
  }
  std::shared_ptr<model::Caller const> const mine_ = member("mine");
  std::shared_ptr<model::Caller const> const theirs_ = member("theirs");
};

struct TemporaryFolder {
  TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "vitrine-fuzz-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;

  std::string path;
};

class Service {
public:
  Service() {
    ops::LogConfig quiet;
    quiet.level = ops::LogLevel::off;
    CHECK(ops::configure_log(quiet));
    stores_.emplace(app::Stores::open(folder_.path, config_, metrics_).value());
    auto policy = service::policy::Policy::load(service::policy::defaults(), std::nullopt);
    house_ = std::make_unique<app::House>(config_, *stores_, std::move(policy).value(),
                                          app::os_versions_of(config_).value(), metrics_);
    CHECK(identity::builtin::bootstrap(*house_->identity->directory(),
                                       {folder_.path + "/clouds.yaml", false, "region"}));
    auto given = house_->services();
    services_.emplace(
        api::Services{given.clock,           given.config,       given.metrics,  given.health,
                      given.access,          given.image_stores, given.images,   given.os_versions,
                      given.uploads,         given.downloads,    given.sharing,  given.copies,
                      given.imports,         given.exports,      given.captures, given.tags,
                      given.quotas,          given.jobs,         given.mandates, tenants_,
                      given.signed_requests, given.spools,       given.directory});
    dispatcher_ = std::make_unique<api::Dispatcher>(
        api::all_endpoints(), *services_, origin_,
        [](api::Context& context, int status) { return api::version_list(context, false, status); },
        [](auto const&) {});
    create("mine", R"({"id":"11111111-1111-4111-8111-111111111111","name":"mine","tags":["t"],)"
                   R"("disk_format":"raw","container_format":"bare","p":"v"})");
    create("theirs", R"({"id":"22222222-2222-4222-8222-222222222222","visibility":"private",)"
                     R"("name":"of-another-tenant","tags":["of-another-tenant"],)"
                     R"("p":"of-another-tenant"})");
  }

  net::Reply handle(std::string_view token, std::string_view line, std::string_view media,
                    std::string body) {
    auto const space = line.find(' ');
    net::Request request;
    request.method = line.substr(0, space);
    request.target = space == std::string_view::npos ? "/" : line.substr(space + 1);
    request.headers = {{"Host", "fuzz"}, {"X-Auth-Token", std::string(token)}};
    if (!media.empty()) request.headers.push_back({"Content-Type", std::string(media)});
    request.remote_address = "127.0.0.1";
    request.content_length = body.size();
    request.body = std::move(body);
    if (request.body.size() > dispatcher_->route(request).body_bytes_max) {
      return dispatcher_->refuse(&request, net::Refusal::body_too_large);
    }
    return dispatcher_->handle(request);
  }

private:
  void create(std::string_view token, std::string body) {
    auto const reply = handle(token, "POST /v2/images", "application/json", std::move(body));
    CHECK(reply.status == 201);
  }

  TemporaryFolder const folder_;
  ops::Config config_;
  ops::Metrics metrics_;
  TwoTenants tenants_;
  api::Origin const origin_{"", {}};
  std::optional<app::Stores> stores_;
  std::unique_ptr<app::House> house_;
  std::optional<api::Services> services_;
  std::unique_ptr<api::Dispatcher> dispatcher_;
};

std::string_view take_line(std::string_view& text) {
  auto const end = std::min(text.find('\n'), text.size());
  auto const line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// A head that the parser of net/ would have let through.
bool is_possible(std::string_view line) {
  auto const space = line.find(' ');
  return space != std::string_view::npos && space > 0 && line.substr(space + 1).starts_with('/') &&
         std::ranges::all_of(line.substr(space + 1), [](char c) { return c > ' ' && c < 0x7F; });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static Service service;
  std::string_view text(reinterpret_cast<char const*>(data), size);
  auto const line = take_line(text);
  auto const media = take_line(text);
  if (!is_possible(line) || text.size() > kBodyBytesMax) return 0;
  // An input that holds the secret may store it in an image of its own, for later ones to find.
  if (std::string_view(reinterpret_cast<char const*>(data), size).contains(kSecret)) return 0;
  auto const reply = service.handle("mine", line, media, std::string(text));
  CHECK(reply.status >= 200 && reply.status < 600 && reply.status != 500);
  if (reply.content_type.starts_with("application/json") && !reply.body.empty()) {
    CHECK(json::parse(reply.body));
  }
  CHECK(!reply.body.contains(kSecret));
  return 0;
}
