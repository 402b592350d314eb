// imsUpdateImageMembersJob: a project accepts or rejects images (contract: ims-api 5.3).
#include "jobs/kinds/groups.hpp"
#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind answer_shares(KindServices const& services) {
  auto& sharing = services.sharing;
  GroupFailure const failure{model::audit::member_update, Fault::member_not_stored};
  return {
      kAnswerShares,
      [&sharing, failure](JobContext& context) -> Result<> {
        auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
        GroupWork const work{.apply =
                                 [&](store::Connection& connection, service::Batch const& batch,
                                     ImageId const& image) {
                                   return sharing.answer_all(connection, batch, image,
                                                             arguments.projects, arguments.status);
                                 },
                             .not_stored = failure};
        return run_groups(context, sharing, arguments, work);
      },
      [&sharing, failure](JobContext& context) { return fail_groups(context, sharing, failure); }};
}

} // namespace vitrine::jobs
