#include "durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "sde/core/error.hpp"

namespace sde::experiment {

namespace fs = std::filesystem;

namespace {

constexpr const char* kUnfinished = ".part";

[[noreturn]] void refuse(const fs::path& file, int error) {
  throw IoError(fmt::format("{}: cannot be written ({}): is the disk full or the folder read-only?", file.string(),
                            std::strerror(error)));
}

/// Not every file system can flush, or flush a folder: there is no more to be had there.
bool flushed(int descriptor) { return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP; }

/// errno of what went wrong, 0 for success.
int write_all(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(descriptor, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return flushed(descriptor) ? 0 : errno;
}

/// The bytes under a temporary name beside `file`, flushed.
fs::path written_beside(const fs::path& file, const char* bytes, std::size_t size) {
  std::error_code ignored;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), ignored);
  fs::path temporary = file.string() + fmt::format(".{}{}", getpid(), kUnfinished);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse(file, errno);
  int error = write_all(descriptor, bytes, size);
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0) return temporary;
  ::unlink(temporary.c_str());
  refuse(file, error);
}

/// Renamed for good: the folder's entry is on the disk, too.
void publish(const fs::path& temporary, const fs::path& file) {
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    refuse(file, error);
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // may be written to, but not read
  const int error = flushed(descriptor) ? 0 : errno;
  ::close(descriptor);
  if (error != 0) refuse(file, error);
}

}  // namespace

void write_file(const fs::path& file, const char* bytes, std::size_t size) {
  publish(written_beside(file, bytes, size), file);
}

fs::path previous(const fs::path& file) { return file.string() + ".previous"; }

void replace_file(const fs::path& file, const std::string& bytes) {
  const fs::path temporary = written_beside(file, bytes.data(), bytes.size());
  if (::rename(file.c_str(), previous(file).c_str()) != 0 && errno != ENOENT) {
    const int error = errno;
    ::unlink(temporary.c_str());
    refuse(file, error);
  }
  publish(temporary, file);
}

void remove_unfinished(const fs::path& file) {
  const auto begins = file.filename().string() + ".";
  std::error_code error;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(file.has_parent_path() ? file.parent_path() : ".", error)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(begins) || !name.ends_with(kUnfinished)) continue;
    const auto between = name.substr(begins.size(), name.size() - std::min(name.size(), begins.size() + 5));
    if (between.find_first_not_of("0123456789") == std::string::npos) found.push_back(entry.path());
  }
  for (const auto& one : found) fs::remove(one, error);
}

}  // namespace sde::experiment
