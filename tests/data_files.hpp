// Files of data for tests: written, compressed, in a folder that goes with them.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>
#include <zip.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace sde::testing {

class DataFiles {
 public:
  DataFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "sde_data_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~DataFiles() { std::filesystem::remove_all(folder_); }
  DataFiles(const DataFiles&) = delete;
  DataFiles& operator=(const DataFiles&) = delete;

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::filesystem::path plain(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::filesystem::path gzip(const std::string& name, const std::string& bytes) const {
    const gzFile file = gzopen(path(name).c_str(), "wb");
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
    return path(name);
  }
  /// An archive of the entries, by name.
  std::filesystem::path zip(const std::string& name,
                            const std::vector<std::pair<std::string, std::string>>& entries) const {
    zip_t* const archive = zip_open(path(name).c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    REQUIRE(archive);
    for (const auto& [entry, bytes] : entries)
      REQUIRE(zip_file_add(archive, entry.c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0), 0) >= 0);
    REQUIRE(zip_close(archive) == 0);
    return path(name);
  }
  std::string bytes(const std::filesystem::path& file) const {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path folder_;
};

/// The message of what f() throws.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

/// An IDX file of unsigned bytes.
inline std::string idx(const std::vector<unsigned>& sizes, const std::string& numbers, char type = 0x08) {
  std::string bytes{0, 0, type, static_cast<char>(sizes.size())};
  for (const unsigned s : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(s >> shift & 0xff);
  return bytes + numbers;
}

/// An NPY file of version 1.
inline std::string npy(const std::string& type, const std::string& shape, const std::string& numbers,
                       const std::string& fortran = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + numbers;
}

}  // namespace sde::testing
