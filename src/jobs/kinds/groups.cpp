#include "jobs/kinds/groups.hpp"

#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace vitrine::jobs {
namespace {

// Pairs of one transaction: many, since each commit waits for the disk; bounded, since other
// writers wait meanwhile.
constexpr std::size_t kPairsPerCommit = 2560;

class Walk {
public:
  Walk(JobContext& context, KindServices const& services, PairArguments const& arguments,
       Apply apply, Fault not_stored)
      : context_(context), sharing_(services.sharing), encryption_(services.encryption),
        arguments_(arguments), apply_(std::move(apply)), not_stored_(not_stored) {}

  Result<> run() {
    auto const finished = TRY(context_.finished_positions());
    context_.resume_at(units(finished.size()));
    std::vector<std::size_t> pending;
    for (std::size_t i = 0; i < arguments_.images.size(); ++i) {
      if (!finished.contains(static_cast<std::int64_t>(i))) pending.push_back(i);
    }
    auto const step =
        std::max<std::size_t>(1, kPairsPerCommit / std::max<std::size_t>(1, projects()));
    for (std::size_t at = 0; at < pending.size(); at += step) {
      TRY(walk(std::span(pending).subspan(at, std::min(step, pending.size() - at))));
    }
    return {};
  }

private:
  // An image that cannot be stored must not take its neighbours along: they are tried again alone.
  Result<> walk(std::span<std::size_t const> images) {
    auto const stored = commit(images, apply_);
    if (stored || stored.error().kind() == Kind::unavailable) return stored;
    if (images.size() == 1) return commit(images, {});
    for (std::size_t i = 0; i < images.size(); ++i)
      TRY(walk(images.subspan(i, 1)));
    return {};
  }

  /// Without `apply` the images fail.
  Result<> commit(std::span<std::size_t const> images, Apply const& apply) {
    auto const treat = [&](store::Connection& connection, service::KeyStates& states) -> Result<> {
      service::Batch const batch{context_.caller(), context_.job().id, context_.now()};
      auto const& event = event_of(context_.job().kind);
      store::Jobs jobs(connection);
      for (auto const index : images) {
        auto const& image = arguments_.images[index];
        auto const failures = apply ? TRY(apply(connection, states, batch, image))
                                    : TRY(sharing_.fail_all(connection, batch, event, image,
                                                            arguments_.projects, not_stored_));
        TRY(jobs.add_item(context_.job().id, {.position = static_cast<std::int64_t>(index),
                                              .image = image,
                                              .failures_json = failures_to_json(failures)}));
      }
      return {};
    };
    return encryption_.in_unit(
        [&](store::Database::Work const& unit) {
          return context_.commit(units(images.size()), unit);
        },
        treat);
  }

  [[nodiscard]] std::size_t projects() const { return arguments_.projects.size(); }
  [[nodiscard]] std::int64_t units(std::size_t images) const {
    return static_cast<std::int64_t>(images * projects());
  }

  JobContext& context_;
  service::Sharing& sharing_;
  service::Encryption const& encryption_;
  PairArguments const& arguments_;
  Apply const apply_;
  Fault const not_stored_;
};

} // namespace

JobKind groups_kind(std::string_view name, KindServices const& services, Fault not_stored,
                    Prepare prepare) {
  auto const walk = [services, not_stored](JobContext& context,
                                           Prepare const& prepared) -> Result<> {
    auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
    auto const apply = TRY(prepared(context, arguments));
    return Walk(context, services, arguments, apply, not_stored).run();
  };
  return {.name = name,
          .run = [walk, prepare](JobContext& context) { return walk(context, prepare); },
          .give_up =
              [walk](JobContext& context, Error const&) {
                return walk(context,
                            [](JobContext const&, PairArguments const&) { return Apply{}; });
              }};
}

} // namespace vitrine::jobs
