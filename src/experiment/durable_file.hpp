// Files that are complete or not there: written beside their name, flushed to the disk, renamed.
#pragma once

#include <filesystem>
#include <string>

namespace sde::experiment {

/// `size` bytes to a temporary name in the same folder (which is made again where it is gone), flushed, then renamed to
/// `file`: whoever looks there, also after a crash, sees the whole or what was there before. Throws IoError; leaves
/// nothing half-written.
void write_file(const std::filesystem::path& file, const char* bytes, std::size_t size);

/// The same, but what was there stays as previous(file).
void replace_file(const std::filesystem::path& file, const std::string& bytes);
std::filesystem::path previous(const std::filesystem::path& file);

/// Deletes what a process that was killed has left of write_file(`file`). Nobody else may be writing it.
void remove_unfinished(const std::filesystem::path& file);

}  // namespace sde::experiment
