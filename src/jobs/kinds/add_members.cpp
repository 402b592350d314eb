// imsAddImageMembersJob: shares each image with each project (contract: ims-api 5.1).
#include "jobs/kinds/groups.hpp"
#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind add_members(KindServices const& services) {
  auto& sharing = services.sharing;
  GroupFailure const failure{model::audit::member_create, Fault::member_not_stored};
  return {
      kAddMembers,
      [&sharing, failure](JobContext& context) -> Result<> {
        auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
        auto const checked = sharing.check_projects(arguments.projects);
        GroupWork const work{.apply =
                                 [&](store::Connection& connection, service::Batch const& batch,
                                     ImageId const& image) {
                                   return sharing.add_all(connection, batch, image,
                                                          arguments.projects, checked);
                                 },
                             .not_stored = failure};
        return run_groups(context, sharing, arguments, work);
      },
      [&sharing, failure](JobContext& context) { return fail_groups(context, sharing, failure); }};
}

} // namespace vitrine::jobs
