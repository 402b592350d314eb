#include "jobs/kinds/captures.hpp"

#include "cloud/volumes.hpp"
#include "jobs/kinds/capture.hpp"
#include "jobs/kinds/capture_state.hpp"
#include "jobs/kinds/outside.hpp"
#include "model/mandates.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::jobs {
namespace {

/// One attempt, or the end of all. What is made stays, though another fails.
class Several {
public:
  Several(JobContext& context, CaptureServices const& services)
      : context_(context), services_(services) {}

  Result<> run() {
    auto const parts = TRY(stored_parts());
    resume(parts);
    if (auto const checked = check_servers(parts); !checked) {
      return may_ask_again(context_, checked.error()) ? checked : final_answer(checked.error());
    }
    bool waits = false;
    for (auto const& part : parts) {
      if (part.ended_at) continue;
      auto capture = TRY(Capture::open(context_, services_, part));
      auto const went = capture.run();
      if (went) {
        waits = waits || *went == Capture::Step::waits;
        continue;
      }
      if (went.error().kind() == Kind::unavailable) return Error(went.error());
      TRY(capture.give_up(went.error()));
    }
    return waits ? Result<>() : end();
  }

  /// As long as a part has something to remove, the job goes on.
  Result<> give_up(Error const& why) {
    auto const parts = TRY(stored_parts());
    resume(parts);
    bool waits = false;
    for (auto const& part : parts) {
      if (part.ended_at) continue;
      auto capture = TRY(Capture::open(context_, services_, part));
      auto const given_up = TRY(capture.give_up(why));
      waits = waits || given_up == Capture::Step::waits;
    }
    if (waits) return {};
    auto const told = context_.commit(0, [&](store::Connection& connection) {
      return store::Jobs(connection).set_image(context_.job().id, {}, {});
    });
    return told ? Error(why) : told;
  }

private:
  Result<std::vector<model::Job>> stored_parts() {
    return services_.database.read([&](store::Connection& connection) {
      return store::Jobs(connection).sub_jobs(context_.job().id);
    });
  }

  /// The progress is how many have ended.
  void resume(std::vector<model::Job> const& parts) {
    context_.resume_at(std::ranges::count_if(
        parts, [](model::Job const& part) { return part.ended_at.has_value(); }));
  }

  /// Asked once, before anything is begun: servers come and go.
  Result<> check_servers(std::vector<model::Job> const& parts) {
    if (!context_.job().state_json.empty()) return {};
    auto const tokens = TRY(services_.mandates.open(context_.caller(), context_.job().secret));
    std::string server;
    for (auto const& part : parts) {
      auto const order = TRY(capture_order_from(part.arguments_json));
      auto const volume = TRY(services_.volumes.volume(
          {order.volumes, tokens.caller, tokens.service}, order.request.id));
      if (!volume || volume->server.empty()) continue; // that there is none, its own sub job says
      if (!server.empty() && server != volume->server) return error(Fault::volumes_apart);
      server = volume->server;
    }
    return context_.commit(0, [&](store::Connection& connection) {
      return store::Jobs(connection).set_state(context_.job().id, "{}");
    });
  }

  /// The first that failed says why the job did.
  Result<> end() {
    auto const parts = TRY(stored_parts());
    auto const failed = std::ranges::find_if(
        parts, [](model::Job const& part) { return part.failure.has_value(); });
    if (failed != parts.end()) {
      auto const order = TRY(capture_order_from(failed->arguments_json));
      auto const& why = *failed->failure;
      return error(why.fault, fmt::format("image {}{}{}", *order.request.draft.name,
                                          why.detail.empty() ? "" : ": ", why.detail));
    }
    auto const& first = parts.front();
    return context_.commit(0, [&](store::Connection& connection) {
      return store::Jobs(connection).set_image(context_.job().id, first.image, first.image_name);
    });
  }

  JobContext& context_;
  CaptureServices const& services_;
};

} // namespace

JobKind captures_kind(CaptureServices const& services) {
  return {
      .name = kCaptureVolumes,
      .run = [services](JobContext& context) { return Several(context, services).run(); },
      .give_up = [services](JobContext& context,
                            Error const& why) { return Several(context, services).give_up(why); },
      .counts_silence = true};
}

} // namespace vitrine::jobs
