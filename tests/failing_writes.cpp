// A disk that fills up: loaded before a program (LD_PRELOAD), fails its FAIL_AT-th call that changes a file, counted
// from 1, and all after it where FAIL_ON is set; the file FAIL_MARK then exists. Standard output and error are left
// alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>

namespace {

/// Whether the next call is to fail; errno says why.
bool full() {
  static const long at = std::getenv("FAIL_AT") ? std::atol(std::getenv("FAIL_AT")) : 0;
  static const bool on = std::getenv("FAIL_ON") != nullptr;
  static std::atomic<long> calls{0};
  const long call = ++calls;
  if (at == 0 || call < at || (call > at && !on)) return false;
  if (const char* mark = std::getenv("FAIL_MARK")) {
    const auto real = reinterpret_cast<int (*)(const char*, int, ...)>(dlsym(RTLD_NEXT, "open"));
    const int descriptor = real(mark, O_WRONLY | O_CREAT, 0666);
    if (descriptor >= 0) close(descriptor);
  }
  errno = ENOSPC;
  return true;
}

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return descriptor > 2 && full() ? -1 : next<ssize_t(int, const void*, size_t)>("write")(descriptor, bytes, size);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
  return full() ? -1 : next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(descriptor, bytes, size, at);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
  return full() ? -1 : next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64")(descriptor, bytes, size, at);
}
int fsync(int descriptor) { return full() ? -1 : next<int(int)>("fsync")(descriptor); }
int rename(const char* from, const char* to) {
  return full() ? -1 : next<int(const char*, const char*)>("rename")(from, to);
}
int mkdir(const char* path, mode_t mode) { return full() ? -1 : next<int(const char*, mode_t)>("mkdir")(path, mode); }

int open(const char* path, int flags, ...) {
  std::va_list list;
  va_start(list, flags);
  const int mode = flags & O_CREAT ? va_arg(list, int) : 0;
  va_end(list);
  return flags & O_CREAT && full() ? -1 : next<int(const char*, int, ...)>("open")(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  std::va_list list;
  va_start(list, flags);
  const int mode = flags & O_CREAT ? va_arg(list, int) : 0;
  va_end(list);
  return flags & O_CREAT && full() ? -1 : next<int(const char*, int, ...)>("open64")(path, flags, mode);
}

}  // extern "C"
