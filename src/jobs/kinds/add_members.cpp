// imsAddImageMembersJob: shares each image with each project (contract: ims-api 5.1).
#include "jobs/kinds/groups.hpp"
#include "jobs/kinds/kinds.hpp"

namespace vitrine::jobs {

JobKind add_members(KindServices const& services) {
  auto& sharing = services.sharing;
  return {kAddMembers, [&sharing](JobContext& context) -> Result<> {
            auto const arguments = TRY(PairArguments::from_json(context.job().arguments_json));
            auto const checked = sharing.check_projects(arguments.projects);
            GroupWork const work{.apply =
                                     [&](store::Connection& connection, service::Batch const& batch,
                                         ImageId const& image) {
                                       return sharing.add_all(connection, batch, image,
                                                              arguments.projects, checked);
                                     },
                                 .event = model::audit::member_create,
                                 .not_stored = Fault::member_not_stored};
            return run_groups(context, sharing, arguments, work);
          }};
}

} // namespace vitrine::jobs
