// One process at a time writes the files of a name in a folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace sde::cli {

/// FOLDER/NAME.lock, locked (flock) by this process and with its host and number in it, as long as the object lives.
/// The system gives it up for a process that ends however it does: a file left behind is taken over.
/// Datasets of other names in the folder have locks of their own, for they share no file.
class OutputLock {
 public:
  /// Throws InputError where another process has it, and names it; IoError where the file cannot be written. `say` is
  /// told where the file system has no locks, or may not have them between hosts.
  OutputLock(const std::filesystem::path& folder, const std::string& name,
             const std::function<void(const std::string&)>& say);
  /// Deletes the file.
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  /// Whether the file that is open is the one in the folder: its last holder may have deleted it meanwhile.
  bool still_there() const;
  const std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace sde::cli
