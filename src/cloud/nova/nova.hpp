// Servers of OpenStack Nova, compute API 2.45 or later.
#pragma once

#include "cloud/calls.hpp"
#include "cloud/compute.hpp"

namespace vitrine::cloud {

class Nova final : public Compute {
public:
  /// Asks nothing yet.
  explicit Nova(CallOptions const& options) : calls_(options, "compute", "compute 2.45") {}

  Result<Server> server(Rights const& rights, std::string_view id) override;
  Result<ImageId> start_image(Rights const& rights, std::string_view server,
                              std::string_view name) override;

private:
  Result<std::vector<std::string>> volumes_of(Rights const& rights, std::string const& path);

  Calls calls_;
};

} // namespace vitrine::cloud
