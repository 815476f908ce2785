#include "output_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>

#include "sde/core/error.hpp"

namespace sde::cli {

namespace {

/// Who wrote a lock file; process 0: nobody, or not yet.
struct Holder {
  std::string host;
  long process = 0;
};

std::string this_host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name[0] ? name.data() : "localhost";
}

Holder holder_in(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size() - 1, 0);
  Holder holder;
  if (size > 0) std::istringstream(text.data()) >> holder.host >> holder.process;
  return holder;
}

bool alive(long process) { return kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM; }

[[noreturn]] void refuse(const std::filesystem::path& file, const Holder& holder) {
  const auto who = holder.process == 0 ? std::string("another process")
                                       : fmt::format("process {} on {}", holder.process, holder.host);
  throw InputError(fmt::format("--out {}: {} is writing {} there ({}): expected another folder, or that it has ended",
                               file.parent_path().string(), who, file.stem().string(), file.string()));
}

[[noreturn]] void cannot_write(const std::filesystem::path& file) {
  throw IoError(fmt::format("{}: cannot be written ({}): is the disk full or the folder read-only?", file.string(),
                            std::strerror(errno)));
}

}  // namespace

OutputLock::OutputLock(const std::filesystem::path& folder, const std::string& name,
                       const std::function<void(const std::string&)>& say)
    : file_(folder / (name + ".lock")) {
  bool locked = false;
  for (bool here = false; !here;) {
    descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) cannot_write(file_);
    locked = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno == EWOULDBLOCK) {
      const Holder holder = holder_in(descriptor_);
      close(descriptor_);
      refuse(file_, holder);
    }
    here = still_there();
    if (!here) close(descriptor_);
  }
  const Holder before = holder_in(descriptor_), mine{this_host(), getpid()};
  if (!locked) {
    if (before.host == mine.host && before.process != mine.process && before.process > 0 && alive(before.process)) {
      close(descriptor_);
      refuse(file_, before);
    }
    say(fmt::format("{}: this file system has no locks: a second run into the folder is refused on this host alone",
                    file_.string()));
  }
  if (before.process > 0 && before.host != mine.host)
    say(
        fmt::format("{}: left by process {} on {}, and taken over: is it gone? (A network file system whose locks hold "
                    "on one host alone cannot tell)",
                    file_.string(), before.process, before.host));
  const auto text = fmt::format("{} {}\n", mine.host, mine.process);
  if (ftruncate(descriptor_, 0) != 0 ||
      pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int error = errno;
    unlink(file_.c_str());
    close(descriptor_);
    errno = error;
    cannot_write(file_);
  }
}

bool OutputLock::still_there() const {
  struct stat open_one {
  }, there{};
  return fstat(descriptor_, &open_one) == 0 && stat(file_.c_str(), &there) == 0 && open_one.st_dev == there.st_dev &&
         open_one.st_ino == there.st_ino;
}

OutputLock::~OutputLock() {
  if (still_there()) unlink(file_.c_str());
  close(descriptor_);
}

}  // namespace sde::cli
