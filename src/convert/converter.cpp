#include "convert/converter.hpp"

#include "base/text.hpp"
#include "convert/files.hpp"
#include "formats/zvhd_convert.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace vitrine::convert {
namespace {

namespace fs = std::filesystem;
using formats::Format;
using formats::Progress;

constexpr std::uint64_t kSector = 512;
constexpr std::size_t kCopyBytes = 1U << 20U;
constexpr std::size_t kHoleBytes = 64U << 10U; ///< zeros of this length become holes
constexpr auto kTick = std::chrono::milliseconds(200);
// No format of ours needs more than an eighth over the disk itself, and its tables.
constexpr std::uint64_t kTablesBytes = 64U << 20U;

bool is_ours(Format format) { return format == Format::zvhd || format == Format::zvhd2; }

/// What qemu-img calls a format that it may read here; empty when there is none.
std::string_view qemu_name(Format format) {
  switch (format) {
  case Format::raw:
  case Format::iso:
  case Format::luks: return "raw";
  case Format::vhd: return "vpc";
  case Format::ploop: return "parallels";
  case Format::qcow2:
  case Format::qcow:
  case Format::qed:
  case Format::vmdk:
  case Format::vhdx:
  case Format::vdi: return formats::name_of(format);
  default: return {};
  }
}

/// Options for `-o`; nothing when qemu-img must not write the format.
std::optional<std::string_view> target_options(Format format) {
  switch (format) {
  case Format::raw: return "";
  case Format::qcow2: return "compat=1.1";
  case Format::vhd: return "subformat=dynamic,force_size=on";
  case Format::vmdk: return "subformat=streamOptimized";
  default: return std::nullopt;
  }
}

// Drivers are named down to the file, so that nothing is guessed and no protocol is reached; what
// the image itself names as its backing file is not opened.
std::string source_of(Format format) {
  auto const name = qemu_name(format);
  bool const backed = name == "qcow2" || name == "qcow" || name == "qed" || name == "vmdk";
  return fmt::format(R"(json:{{"driver":"{}",{}{}"file":{{"driver":"file","filename":"source"}}}})",
                     name, backed ? R"("backing":null,)" : "",
                     name == "vpc" ? R"("force_size_calc":"current_size",)" : "");
}

/// The share of a step in the progress of the whole.
Progress share(Progress const& progress, int from, int to) {
  return
      [&progress, from, to](int percent) { return progress(from + percent * (to - from) / 100); };
}

Error failed(std::string reason) { return error(Fault::conversion_failed, std::move(reason)); }

/// Goes through all bytes, in order.
Result<> each_part(StoredBytes& source, Progress const& progress,
                   std::function<Result<>(formats::Bytes)> const& take) {
  std::vector<std::byte> part;
  auto const size = source.size_bytes();
  for (std::uint64_t at = 0; at < size; at += part.size()) {
    TRY(progress(static_cast<int>(at / (size / 100 + 1))));
    part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBytes, size - at)));
    TRY(source.read(at, part));
    TRY(take(part));
  }
  return {};
}

Result<> write_with_holes(FileSink& file, formats::Bytes bytes) {
  while (!bytes.empty()) {
    auto const piece = bytes.first(std::min(bytes.size(), kHoleBytes));
    TRY(formats::all_zero(piece) ? file.zeros(piece.size()) : file.write(piece));
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

std::uint64_t in_sectors(std::uint64_t bytes) { return formats::pieces(bytes, kSector) * kSector; }

} // namespace

/// A directory of one conversion. It is locked while this lives, so that a process that starts
/// knows what is left over; the directory above is locked while one is made or looked at.
class Converter::Place {
public:
  Place(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  ~Place() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    ::close(lock_);
  }
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;

  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] std::string source() const { return path_ + "/source"; }
  [[nodiscard]] std::string target() const { return path_ + "/target"; }
  /// What was made is the source of the next step.
  Result<> turn_over() const {
    std::error_code refused;
    fs::rename(target(), source(), refused);
    if (refused) return error(Fault::unavailable, refused.message());
    return {};
  }

  /// -1 when another holds it.
  static int lock(std::string const& path, int how) {
    int const descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor >= 0 && ::flock(descriptor, how) == 0) return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    return -1;
  }

private:
  std::string const path_;
  int const lock_;
};

/// One of the conversions that may run at once.
class Converter::Turn {
public:
  static Result<std::unique_ptr<Turn>> wait(Converter& converter, Progress const& progress) {
    std::unique_lock lock(converter.mutex_);
    while (converter.running_ >= converter.options_.parallel) {
      converter.freed_.wait_for(lock, kTick);
      lock.unlock();
      TRY(progress(0));
      lock.lock();
    }
    ++converter.running_;
    return std::unique_ptr<Turn>(new Turn(converter));
  }
  ~Turn() {
    std::lock_guard const lock(converter_.mutex_);
    --converter_.running_;
    converter_.freed_.notify_one();
  }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

private:
  explicit Turn(Converter& converter) : converter_(converter) {}
  Converter& converter_;
};

std::optional<Sandbox> Converter::sandbox() const {
  std::call_once(looked_, [this] {
    if (::access(options_.qemu_img.c_str(), X_OK) != 0) {
      return options_.unusable(fmt::format(
          "{}: {}; it is in the package qemu-utils, and [convert] qemu_img tells where it lies",
          options_.qemu_img, std::strerror(errno)));
    }
    for (auto const each : {Sandbox::bubblewrap, Sandbox::landlock}) {
      if (!sandbox_ && options_.sandbox.value_or(each) == each && works(each)) sandbox_ = each;
    }
    if (!sandbox_) {
      options_.unusable("no sandbox works here: neither bubblewrap, which is in a package of that "
                        "name and needs user namespaces, nor Landlock of the kernel");
    }
  });
  return sandbox_;
}

Result<std::unique_ptr<Converter>> Converter::open(Options options) {
  std::error_code refused;
  // A conversion works in a directory of its own, from where a relative one leads nowhere.
  options.directory = fs::absolute(options.directory, refused).string();
  auto const& directory = options.directory;
  if (!refused) fs::create_directories(directory, refused);
  if (!refused) fs::permissions(directory, fs::perms::owner_all, refused);
  if (refused) return error(Fault::unavailable, directory + ": " + refused.message());
  int const all = Place::lock(directory, LOCK_EX);
  if (all < 0) return error(Fault::unavailable, "cannot lock " + directory);
  for (auto const& entry : fs::directory_iterator(directory, refused)) {
    if (int const left = Place::lock(entry.path(), LOCK_EX | LOCK_NB); left >= 0) {
      Place(entry.path(), left);
    }
  }
  ::close(all);
  if (refused) return error(Fault::unavailable, directory + ": " + refused.message());
  return std::unique_ptr<Converter>(new Converter(std::move(options)));
}

Result<std::shared_ptr<Converter::Place>> Converter::make_place() const {
  int const all = Place::lock(options_.directory, LOCK_SH);
  auto path = options_.directory + "/conversion-XXXXXX";
  bool const made = all >= 0 && ::mkdtemp(path.data()) != nullptr;
  int const lock = made ? Place::lock(path, LOCK_EX | LOCK_NB) : -1;
  if (all >= 0) ::close(all);
  if (lock < 0) return error(Fault::unavailable, "cannot make a directory for a conversion");
  return std::make_shared<Place>(std::move(path), lock);
}

Result<> Converter::check(Format from, Format to) const {
  bool const known = from != to && (is_ours(from) || !qemu_name(from).empty()) &&
                     (is_ours(to) || target_options(to).has_value());
  // What needs no qemu-img: these formats among each other.
  auto const is_easy = [](Format format) { return is_ours(format) || qemu_name(format) == "raw"; };
  if (known && ((is_easy(from) && is_easy(to)) || sandbox())) return {};
  return error(Fault::format_unwritable,
               fmt::format("{} cannot be converted to {}{}", formats::name_of(from),
                           formats::name_of(to), known ? ": qemu-img cannot be used here" : ""));
}

Result<Converted> Converter::convert(StoredBytes& source, Format from, Format to,
                                     Progress const& progress) {
  TRY(check(from, to));
  auto const turn = TRY(Turn::wait(*this, progress));
  auto const place = TRY(make_place());
  auto converted = TRY(convert_in(*place, source, from, to, progress));
  converted.data = TRY(open_file(place->target(), place));
  return converted;
}

namespace {

/// Puts the source into the place as a file that qemu-img may see, or the plain disk of one of our
/// own formats; the bytes of the disk.
Result<std::uint64_t> take_in(std::string const& path, StoredBytes& source, Format from,
                              Options const& options, Progress const& progress) {
  auto const file = TRY(FileSink::create(path));
  std::uint64_t disk_bytes = 0;
  if (is_ours(from)) {
    auto read = formats::read_zvhd(source, options.disk_bytes_max, *file, progress);
    if (!read && read.error().fault == Fault::format_unsafe) {
      return error(Fault::format_unsafe,
                   fmt::format("{} {}", formats::name_of(from), read.error().detail));
    }
    disk_bytes = TRY(std::move(read));
  } else {
    formats::Inspector inspector;
    TRY(each_part(source, progress, [&](formats::Bytes bytes) -> Result<> {
      inspector.feed(bytes);
      return write_with_holes(*file, bytes);
    }));
    auto const fits =
        TRY(formats::check(inspector.finish(), formats::name_of(from), "bare", options.rules));
    if (!fits.virtual_size_bytes) return failed("The size of the disk is not known.");
    disk_bytes = *fits.virtual_size_bytes;
  }
  if (disk_bytes > options.disk_bytes_max) {
    return error(Fault::too_large, fmt::format("The disk of {} bytes is larger than {} bytes.",
                                               disk_bytes, options.disk_bytes_max));
  }
  TRY(file->finish());
  return disk_bytes;
}

/// Whether a file holds what was asked for.
Result<> check_made(std::string const& path, Format format, std::uint64_t disk_bytes,
                    Progress const& progress) {
  auto const made = TRY(open_file(path));
  bool right = made->size_bytes() == disk_bytes;
  if (format != Format::raw) {
    formats::Inspector inspector;
    TRY(each_part(*made, progress, [&](formats::Bytes bytes) -> Result<> {
      inspector.feed(bytes);
      return {};
    }));
    auto const finding = inspector.finish();
    right = finding.format == format && !finding.unsafe && finding.virtual_size_bytes == disk_bytes;
  }
  if (!right) return failed("The converted image is not what it should be.");
  return {};
}

/// What qemu-img said last, to follow its status. The sandbox names files of this machine, which
/// is for nobody to read.
std::string reason_in(std::string_view errors) {
  constexpr std::size_t kBytesMax = 200;
  constexpr std::string_view kProgram = "qemu-img: ";
  auto const at = errors.rfind(kProgram);
  if (at == std::string_view::npos) return ".";
  auto const line = errors.substr(at + kProgram.size());
  return ": " + text::printable(line.substr(0, std::min(line.find('\n'), kBytesMax)));
}

} // namespace

Result<Converted> Converter::convert_in(Place& place, StoredBytes& source, Format from, Format to,
                                        Progress const& progress) const {
  auto const disk_bytes =
      in_sectors(TRY(take_in(place.source(), source, from, options_, share(progress, 0, 30))));
  auto const now = is_ours(from) ? Format::raw : from;
  bool const plain = qemu_name(now) == "raw";
  auto const middle = is_ours(to) ? Format::raw : to;
  if (!plain || qemu_name(middle) != "raw") {
    TRY(run_qemu(place, now, middle, disk_bytes, share(progress, 30, 70)));
  } else {
    std::error_code refused;
    fs::rename(place.source(), place.target(), refused);
    if (!refused) fs::resize_file(place.target(), disk_bytes, refused);
    if (refused) return error(Fault::unavailable, refused.message());
  }
  TRY(check_made(place.target(), middle, disk_bytes, share(progress, 70, 80)));
  if (is_ours(to)) {
    TRY(place.turn_over());
    auto const disk = TRY(open_file(place.source()));
    auto const file = TRY(FileSink::create(place.target()));
    TRY(formats::write_zvhd(*disk, to, *file, share(progress, 80, 95)));
    TRY(file->finish());
    TRY(check_made(place.target(), to, disk_bytes, share(progress, 95, 100)));
  }
  std::error_code ignored;
  fs::remove(place.source(), ignored);
  return Converted{nullptr, disk_bytes};
}

Result<> Converter::run_qemu(Place const& place, Format from, Format to, std::uint64_t disk_bytes,
                             Progress const& progress) const {
  auto const empty = TRY(FileSink::create(place.target()));
  TRY(empty->finish());
  Call call{.directory = place.path(),
            .command = {options_.qemu_img, "convert", "-p", "-O", std::string(qemu_name(to))},
            .time = options_.time,
            .memory_bytes = options_.memory_bytes,
            .output_bytes = disk_bytes + disk_bytes / 8 + kTablesBytes};
  if (auto const options = *target_options(to); !options.empty()) {
    call.command.insert(call.command.end(), {"-o", std::string(options)});
  }
  call.command.insert(call.command.end(), {source_of(from), "target"});
  auto const ended = TRY(run(*sandbox(), call, progress));
  if (ended.out_of_time || ended.signal == SIGXCPU) {
    return failed(fmt::format("The conversion took longer than {} seconds.", call.time.count()));
  }
  if (ended.signal == SIGXFSZ || ended.errors.find("File too large") != std::string::npos) {
    return failed(fmt::format("The conversion wrote more than {} bytes.", call.output_bytes));
  }
  if (ended.errors.find("No space left") != std::string::npos) {
    return error(Fault::store_full, "no space left to convert the image");
  }
  if (ended.signal != 0 || ended.status != 0) {
    return failed(fmt::format("qemu-img could not convert the image (status {}, signal {}){}",
                              ended.status, ended.signal, reason_in(ended.errors)));
  }
  return {};
}

} // namespace vitrine::convert
