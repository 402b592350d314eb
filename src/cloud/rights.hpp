// With which rights another service is asked, and where it is.
#pragma once

#include <string>

namespace vitrine::cloud {

/// Never to be logged or stored as it is.
struct Rights {
  std::string endpoint; ///< base URL of the service for the caller's project, no slash at the end
  std::string token;    ///< of the caller, whose rights count
  std::string
      service_token; ///< of this service, which vouches for a token that expired; may be empty
};

} // namespace vitrine::cloud
