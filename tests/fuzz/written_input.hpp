// An input as a file, for readers that take names.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace sde::fuzz {

/// A file of this process, in memory where there is such a file system. It goes with the process.
class WrittenInput {
 public:
  explicit WrittenInput(const std::string& ending)
      : path(folder() / ("sde_fuzz_" + std::to_string(getpid()) + "." + ending)) {}
  ~WrittenInput() { std::filesystem::remove(path); }
  WrittenInput(const WrittenInput&) = delete;
  WrittenInput& operator=(const WrittenInput&) = delete;

  void write(const unsigned char* data, std::size_t size) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }

  const std::filesystem::path path;

 private:
  static std::filesystem::path folder() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  }
};

}  // namespace sde::fuzz
