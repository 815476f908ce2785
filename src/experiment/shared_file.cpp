#include "shared_file.hpp"

#include <cstdlib>
#include <vector>

#include "sde/core/error.hpp"

namespace sde::experiment {

std::filesystem::path shared_file(const std::string& name, const std::filesystem::path& source) {
  namespace fs = std::filesystem;
  std::vector<fs::path> places;
  if (const char* share = std::getenv("SDE_SHARE")) places.emplace_back(fs::path(share) / name);
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) places.push_back(self.parent_path().parent_path() / "share" / "sde" / name);
  places.push_back(fs::path(SDE_INSTALLED_SHARE) / name);
  places.push_back(source);
  for (const auto& p : places)
    if (fs::exists(p, error)) return p;
  throw IoError(name + " was not found: expected it in share/sde beside the program, or in $SDE_SHARE");
}

}  // namespace sde::experiment
