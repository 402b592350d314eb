// imsDelImageMembersJob: takes each image back from each project (contract: ims-api 5.2).
#include "jobs/kinds/groups.hpp"
#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind remove_members(KindServices const& services) {
  auto& sharing = services.sharing;
  return {kRemoveMembers, [&sharing](JobContext& context) -> Result<> {
            auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
            GroupWork const work{.apply =
                                     [&](store::Connection& connection, service::Batch const& batch,
                                         ImageId const& image) {
                                       return sharing.remove_all(connection, batch, image,
                                                                 arguments.projects);
                                     },
                                 .event = model::audit::member_delete,
                                 .not_stored = Fault::member_not_removed};
            return run_groups(context, sharing, arguments, work);
          }};
}

} // namespace vitrine::jobs
