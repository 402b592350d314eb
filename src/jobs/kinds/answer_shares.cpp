// imsUpdateImageMembersJob: a project accepts or rejects images (contract: ims-api 5.3).
#include "jobs/kinds/groups.hpp"
#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind answer_shares(KindServices const& services) {
  auto& sharing = services.sharing;
  return {kAnswerShares, [&sharing](JobContext& context) -> Result<> {
            auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
            GroupWork const work{.apply =
                                     [&](store::Connection& connection, service::Batch const& batch,
                                         ImageId const& image) {
                                       return sharing.answer_all(connection, batch, image,
                                                                 arguments.projects,
                                                                 arguments.status);
                                     },
                                 .event = model::audit::member_update,
                                 .not_stored = Fault::member_not_stored};
            return run_groups(context, sharing, arguments, work);
          }};
}

} // namespace vitrine::jobs
