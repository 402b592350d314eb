#include "convert/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <memory>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace vitrine::convert {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kErrorBytesMax = 4096;
constexpr auto kTick = std::chrono::milliseconds(200);
constexpr int kFilterDescriptor = 3; ///< of the child
constexpr int kNotStarted = 126;

class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

Error cannot(std::string_view what) {
  return error(Fault::unavailable,
               "the sandbox cannot " + std::string(what) + ": " + std::strerror(errno));
}

// Threads are made by clone with CLONE_THREAD; clone3 hides its flags from a filter, and the C
// library falls back when it is not there.
bool fill_filter(scmp_filter_ctx filter) {
  constexpr std::array kRefused = {SCMP_SYS(socket),
                                   SCMP_SYS(socketpair),
                                   SCMP_SYS(connect),
                                   SCMP_SYS(fork),
                                   SCMP_SYS(vfork),
                                   SCMP_SYS(ptrace),
                                   SCMP_SYS(process_vm_readv),
                                   SCMP_SYS(process_vm_writev),
                                   SCMP_SYS(mount),
                                   SCMP_SYS(umount2),
                                   SCMP_SYS(unshare),
                                   SCMP_SYS(setns),
                                   SCMP_SYS(bpf),
                                   SCMP_SYS(keyctl),
                                   SCMP_SYS(add_key),
                                   SCMP_SYS(request_key),
                                   SCMP_SYS(perf_event_open),
                                   SCMP_SYS(io_uring_setup),
                                   SCMP_SYS(kill),
                                   SCMP_SYS(tkill),
                                   SCMP_SYS(pidfd_send_signal),
                                   SCMP_SYS(link),
                                   SCMP_SYS(linkat),
                                   SCMP_SYS(symlink),
                                   SCMP_SYS(symlinkat),
                                   SCMP_SYS(mknod),
                                   SCMP_SYS(mknodat),
                                   SCMP_SYS(chmod),
                                   SCMP_SYS(fchmod),
                                   SCMP_SYS(fchmodat),
                                   SCMP_SYS(setpriority)};
  bool filled = true;
  for (int const call : kRefused)
    filled = filled && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
  scmp_arg_cmp const no_thread{
      .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = 0};
  return filled && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
         seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &no_thread) == 0;
}

/// The filter as a program for the kernel, in a file that bubblewrap can read.
Result<Descriptor> filter_file() {
  std::unique_ptr<void, void (*)(void*)> const filter(seccomp_init(SCMP_ACT_ALLOW),
                                                      seccomp_release);
  Descriptor file(::memfd_create("filter", MFD_CLOEXEC));
  if (!filter || file.number() < 0 || !fill_filter(filter.get()) ||
      seccomp_export_bpf(filter.get(), file.number()) != 0 ||
      ::lseek(file.number(), 0, SEEK_SET) != 0) {
    return cannot("make its filter");
  }
  return file;
}

/// The rules of the kernel for files: read what is below /usr and the source, write the target.
Result<Descriptor> ruleset(std::string const& directory) {
  constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE;
  constexpr std::uint64_t kRun = kRead | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE;
  constexpr std::uint64_t kWrite = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE;
  landlock_ruleset_attr all{};
  all.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1; // all of the first version
  Descriptor rules(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0)));
  if (rules.number() < 0) return cannot("restrict files");
  for (auto const& [path, access] :
       {std::pair{std::string("/usr"), kRun}, std::pair{std::string("/etc/ld.so.cache"), kRead},
        std::pair{std::string("/dev/null"), kWrite}, std::pair{directory + "/source", kRead},
        std::pair{directory + "/target", kWrite}}) {
    Descriptor const place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    landlock_path_beneath_attr rule{};
    rule.allowed_access = access;
    rule.parent_fd = place.number();
    if (place.number() < 0 || ::syscall(SYS_landlock_add_rule, rules.number(),
                                        LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
      return cannot("restrict files");
    }
  }
  return rules;
}

std::vector<std::string> wrapped(Call const& call) {
  std::vector<std::string> words = {"/usr/bin/bwrap",
                                    "--unshare-all",
                                    "--die-with-parent",
                                    "--new-session",
                                    "--cap-drop",
                                    "ALL",
                                    "--clearenv",
                                    "--setenv",
                                    "MALLOC_ARENA_MAX",
                                    "1",
                                    "--ro-bind",
                                    "/usr",
                                    "/usr",
                                    "--symlink",
                                    "usr/lib",
                                    "/lib",
                                    "--symlink",
                                    "usr/lib64",
                                    "/lib64",
                                    "--dev-bind",
                                    "/dev/null",
                                    "/dev/null",
                                    "--ro-bind",
                                    call.directory + "/source",
                                    "/disk/source",
                                    "--bind",
                                    call.directory + "/target",
                                    "/disk/target",
                                    "--remount-ro",
                                    "/",
                                    "--chdir",
                                    "/disk",
                                    "--seccomp",
                                    std::to_string(kFilterDescriptor),
                                    "--"};
  words.insert(words.end(), call.command.begin(), call.command.end());
  return words;
}

/// What the child needs, made before the fork: after it only plain system calls are safe.
struct Plan {
  std::vector<std::string> words;
  std::vector<char*> arguments;
  std::vector<sock_filter> filter; ///< empty where bubblewrap applies it
  Descriptor filter_file;
  Descriptor rules;
};

Result<Plan> plan_of(Sandbox sandbox, Call const& call) {
  Plan plan;
  plan.words = sandbox == Sandbox::bubblewrap ? wrapped(call) : call.command;
  for (auto& word : plan.words)
    plan.arguments.push_back(word.data());
  plan.arguments.push_back(nullptr);
  plan.filter_file = TRY(filter_file());
  if (sandbox == Sandbox::bubblewrap) return plan;
  plan.rules = TRY(ruleset(call.directory));
  auto const bytes = ::lseek(plan.filter_file.number(), 0, SEEK_END);
  plan.filter.resize(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  if (::pread(plan.filter_file.number(), plan.filter.data(), static_cast<std::size_t>(bytes), 0) !=
      bytes) {
    return cannot("read its filter");
  }
  return plan;
}

bool limit(__rlimit_resource which, std::uint64_t most) {
  rlimit const both{most, most};
  return ::setrlimit(which, &both) == 0;
}

bool confine(Plan const& plan) {
  if (plan.filter.empty()) return true;
  sock_fprog const program{static_cast<unsigned short>(plan.filter.size()),
                           const_cast<sock_filter*>(plan.filter.data())};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, plan.rules.number(), 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

[[noreturn]] void become(Plan const& plan, Call const& call, pid_t parent, int out, int errors) {
  auto const seconds = static_cast<std::uint64_t>(call.time.count());
  // Each thread would take an arena of 64 MiB and a stack of 8 MiB of the address space, and
  // qemu-img aborts when there is none left for one.
  constexpr std::uint64_t kStackBytes = 1U << 20U;
  char one_arena[] = "MALLOC_ARENA_MAX=1";
  std::array<char*, 2> environment = {one_arena, nullptr};
  bool const ready = ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent &&
                     ::setpgid(0, 0) == 0 && ::chdir(call.directory.c_str()) == 0 &&
                     ::dup2(out, 1) == 1 && ::dup2(errors, 2) == 2 && limit(RLIMIT_CORE, 0) &&
                     limit(RLIMIT_CPU, seconds + 1) && limit(RLIMIT_NOFILE, 64) &&
                     limit(RLIMIT_FSIZE, call.output_bytes) && limit(RLIMIT_STACK, kStackBytes) &&
                     limit(RLIMIT_AS, call.memory_bytes) && confine(plan);
  // Of the descriptors only the first three, and the filter that bubblewrap reads, go on.
  bool closed = ::syscall(SYS_close_range, kFilterDescriptor, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
  if (plan.filter.empty()) {
    closed = closed && ::dup2(plan.filter_file.number(), kFilterDescriptor) == kFilterDescriptor &&
             ::fcntl(kFilterDescriptor, F_SETFD, 0) == 0;
  }
  if (ready && closed) {
    ::execve(plan.arguments.front(), plan.arguments.data(), environment.data());
  }
  ::_exit(kNotStarted);
}

/// The child; gone when this is.
class Child {
public:
  Child(pid_t pid, Descriptor out, Descriptor errors)
      : pid_(pid), out_(std::move(out)), errors_(std::move(errors)) {}
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;
  ~Child() {
    if (pid_ > 0) end();
  }

  Result<Ended> follow(Clock::time_point deadline, formats::Progress const& progress) {
    Descriptor const life(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (life.number() < 0) return cannot("be followed");
    Ended ended;
    for (bool over = false; !over;) {
      TRY(progress(percent_));
      ended.out_of_time = Clock::now() >= deadline;
      if (ended.out_of_time) break;
      std::array<pollfd, 3> ready = {
          {{out_.number(), POLLIN, 0}, {errors_.number(), POLLIN, 0}, {life.number(), POLLIN, 0}}};
      auto const count = ::poll(ready.data(), ready.size(), static_cast<int>(kTick.count()));
      if (count < 0 && errno != EINTR) return cannot("be followed");
      if (ready[0].revents != 0) read_percent();
      if (ready[1].revents != 0) read_errors(ended.errors);
      over = count == 1 && ready[2].revents != 0; // and all that it wrote was read
    }
    auto const status = ended.out_of_time ? end() : wait();
    if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
    if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
    if (ended.status == kNotStarted) return error(Fault::unavailable, "the sandbox cannot start");
    return ended;
  }

private:
  void read_percent() {
    std::array<char, 512> some{};
    auto const count = ::read(out_.number(), some.data(), some.size());
    if (count <= 0) return out_.close();
    std::string_view const text(some.data(), static_cast<std::size_t>(count));
    auto const at = text.rfind('(');
    if (at == std::string_view::npos) return;
    percent_ =
        std::min(100, std::max(percent_, std::atoi(std::string(text.substr(at + 1)).c_str())));
  }

  void read_errors(std::string& errors) {
    std::array<char, 512> some{};
    auto const count = ::read(errors_.number(), some.data(), some.size());
    if (count <= 0) return errors_.close();
    errors.append(some.data(), static_cast<std::size_t>(count));
    if (errors.size() > kErrorBytesMax) errors.erase(0, errors.size() - kErrorBytesMax);
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  // The child leads a group of its own; what bubblewrap started dies with it.
  int end() {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    return wait();
  }

  pid_t pid_;
  Descriptor out_;
  Descriptor errors_;
  int percent_{0};
};

Result<std::pair<Descriptor, Descriptor>> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot("make a pipe");
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

} // namespace

Result<Ended> run(Sandbox sandbox, Call const& call, formats::Progress const& progress) {
  auto const plan = TRY(plan_of(sandbox, call));
  auto out = TRY(make_pipe());
  auto errors = TRY(make_pipe());
  auto const parent = ::getpid();
  auto const pid = ::fork();
  if (pid < 0) return cannot("start a process");
  if (pid == 0) become(plan, call, parent, out.second.number(), errors.second.number());
  out.second.close();
  errors.second.close();
  Child child(pid, std::move(out.first), std::move(errors.first));
  return child.follow(Clock::now() + call.time, progress);
}

bool works(Sandbox sandbox) {
  auto name = (std::filesystem::temp_directory_path() / "vitrine-sandbox-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return false;
  for (auto const* file : {"/source", "/target"})
    Descriptor const made(::open((name + file).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  auto const ended = run(sandbox,
                         {.directory = name,
                          .command = {"/usr/bin/true"},
                          .time = std::chrono::seconds(10),
                          .memory_bytes = 1U << 30U,
                          .output_bytes = 1U << 20U},
                         [](int) -> Result<> { return {}; });
  std::error_code ignored;
  std::filesystem::remove_all(name, ignored);
  return ended && ended->status == 0 && ended->signal == 0 && !ended->out_of_time;
}

} // namespace vitrine::convert
