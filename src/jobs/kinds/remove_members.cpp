// imsDelImageMembersJob: takes each image back from each project (contract: ims-api 5.2).
#include "jobs/kinds/groups.hpp"
#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind remove_members(KindServices const& services) {
  auto& sharing = services.sharing;
  GroupFailure const failure{model::audit::member_delete, Fault::member_not_removed};
  return {
      kRemoveMembers,
      [&sharing, failure](JobContext& context) -> Result<> {
        auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
        GroupWork const work{.apply =
                                 [&](store::Connection& connection, service::Batch const& batch,
                                     ImageId const& image) {
                                   return sharing.remove_all(connection, batch, image,
                                                             arguments.projects);
                                 },
                             .not_stored = failure};
        return run_groups(context, sharing, arguments, work);
      },
      [&sharing, failure](JobContext& context) { return fail_groups(context, sharing, failure); }};
}

} // namespace vitrine::jobs
