// imsAddImageMembersJob: shares each image with each project (contract: ims-api 5.1).
#include "jobs/kinds/groups.hpp"

namespace vitrine::jobs {

JobKind add_members(KindServices const& services) {
  auto& sharing = services.sharing;
  return groups_kind(
      kAddMembers, services, Fault::member_not_stored,
      [&sharing](JobContext const& context, PairArguments const& arguments) -> Result<Apply> {
        auto const checked = TRY(
            sharing.check_projects(arguments.projects, [&context] { return context.stopping(); }));
        return Apply([&sharing, &arguments,
                      checked](store::Connection& connection, service::KeyStates& states,
                               service::Batch const& batch, ImageId const& image) {
          return sharing.add_all(connection, states, batch, image, arguments.projects, checked);
        });
      });
}

} // namespace vitrine::jobs
