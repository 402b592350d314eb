// How far a job is that makes an image from a server, volume or backup: what was started elsewhere,
// as it is stored between attempts.
#pragma once

#include "base/result.hpp"
#include "service/captures.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::jobs {

/// What the job is asked to do.
struct CaptureOrder {
  service::CaptureRequest request;
  std::string compute; ///< base URLs of the services; empty when there is none
  std::string volumes;
};

struct CaptureState {
  bool looked{false};               ///< the source was found good
  std::string volume;               ///< whose data the image gets; empty: a local disk
  std::string snapshot;             ///< of that volume, made by the job
  std::string copy;                 ///< a volume made by the job, whose data the image gets instead
  std::vector<std::string> backups; ///< made by the job, in the order of the devices
  std::vector<std::string> disks;   ///< volumes of a whole server, in the order of their devices
  service::CaptureFacts facts{};
  std::int64_t idle_since_us{0}; ///< nobody works on the image, which is not done; 0: somebody does
  std::int64_t ended_at_us{0};   ///< its data came, or it failed; 0: neither
  std::string fault;             ///< why it has failed; empty when it has not
  std::string detail;
};

/// The ids of a text that holds them with commas between, as the services' ids may not hold one.
std::vector<std::string> parted(std::string_view text);

std::string to_json(CaptureOrder const& order);
std::string to_json(CaptureState const& state);
/// Error of both: `internal`, since nobody else writes it.
Result<CaptureOrder> capture_order_from(std::string_view json);
/// An empty text is the state of a job that has not begun.
Result<CaptureState> capture_state_from(std::string_view json);

} // namespace vitrine::jobs
