// One attempt to make an image from a server, volume or backup; for the kinds of such jobs only.
//
// An attempt takes the steps that can be taken now, notes what it has started, and rests while
// others work. What is started bears a name with the id of the job, so that an attempt that was cut
// between starting and noting finds it again.
#pragma once

#include "cloud/backups.hpp"
#include "cloud/compute.hpp"
#include "cloud/volumes.hpp"
#include "jobs/engine/context.hpp"
#include "jobs/kinds/capture_image.hpp"
#include "jobs/kinds/capture_state.hpp"
#include "model/mandates.hpp"

#include <string>
#include <string_view>

namespace vitrine::jobs {

/// Whether another attempt is worth it: what lies with this server or its database may pass, and so
/// may a service that does not answer, for a while.
bool may_ask_again(JobContext const& context, Error const& failed);

class Capture {
public:
  enum class Step : std::uint8_t { waits, taken };

  /// `row` says what is made: that of the job, or of a sub job where it makes several. Error:
  /// `internal`, when that cannot be read.
  static Result<Capture> open(JobContext& context, CaptureServices const& services,
                              model::Job const& row);

  /// `taken`: the image is there, and a sub job has ended. `waits`: the job rests. An error of the
  /// kind `unavailable`: another attempt follows; any other, once what was made elsewhere is gone
  /// or cannot be removed: for `give_up`.
  Result<Step> run();
  /// It is given up for that error. `waits`: what was made elsewhere must go first, by `run`.
  /// `taken`: the image is gone, the audit trail knows, and a sub job has ended.
  Result<Step> give_up(Error const& why);

private:
  Capture(JobContext& context, CaptureServices const& services, model::Job const& row,
          CaptureOrder order, CaptureState state)
      : context_(context), services_(services), row_(row), order_(std::move(order)),
        state_(std::move(state)) {}

  Result<Step> go_on();
  Result<> ask_rights();
  [[nodiscard]] bool has_time() const;

  Result<> look_at_server();
  Result<cloud::Volume> look_at_volume(std::string_view id);
  Result<> look_at_data_volume();
  Result<> look_at_backup();
  Result<> look();

  Result<Step> start_image();
  Result<Step> start_from_volume();
  Result<Step> start_from_copy();
  Result<Step> make_snapshot();
  Result<Step> make_backups();
  Result<Step> restore(std::string const& backup);
  Result<> adopt(ImageId const& image);

  Result<Step> await_image();
  Result<model::Image> image_now();
  Result<bool> is_worked_on();
  Result<> finish();

  Result<> fail(Error const& why);
  Result<> drop_image(store::Connection& connection);
  Step clear();
  Result<Step> remove_all();
  Result<> find_unnoted();
  Result<Step> remove_copies();
  Result<Step> remove_backups();

  Step rest(std::int64_t seconds);
  Result<> note(std::int64_t progress);
  void tell(std::int64_t progress);
  [[nodiscard]] bool is_sub_job() const { return !row_.parent.empty(); }
  [[nodiscard]] bool is_whole() const {
    return order_.request.source == service::CaptureSource::server_backup;
  }
  [[nodiscard]] std::string name() const { return "vitrine-" + row_.id.text; }
  [[nodiscard]] std::string name_of_backup() const;
  [[nodiscard]] service::Batch batch() const {
    return {context_.caller(), context_.job().id, context_.now()};
  }

  JobContext& context_;
  CaptureServices const& services_;
  model::Job row_;
  CaptureOrder order_;
  CaptureState state_;
  cloud::Rights compute_;
  cloud::Rights volumes_;
  std::int64_t pause_s_{0};
};

} // namespace vitrine::jobs
