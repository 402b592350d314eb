// imsDelImageMembersJob: takes each image back from each project (contract: ims-api 5.2).
#include "jobs/kinds/groups.hpp"

namespace vitrine::jobs {

JobKind remove_members(KindServices const& services) {
  auto& sharing = services.sharing;
  return groups_kind(kRemoveMembers, services, Fault::member_not_removed,
                     [&sharing](JobContext const&, PairArguments const& arguments) -> Apply {
                       return [&sharing,
                               &arguments](store::Connection& connection, service::KeyStates&,
                                           service::Batch const& batch, ImageId const& image) {
                         return sharing.remove_all(connection, batch, image, arguments.projects);
                       };
                     });
}

} // namespace vitrine::jobs
