// The system's C++ compiler, for modules that are made while the program runs. Nothing passes through a shell.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sde {

/// A translation unit: its name without ending, and its text.
struct SourceFile {
  std::string name, text;
};

/// What a module is made of.
struct ModuleSources {
  std::vector<SourceFile> headers, units;
  /// Architectures of a GPU ("90"), for which the units are CUDA; else they are C++ for this processor.
  std::vector<std::string> cuda;
};

/// Where compiled modules are kept: SDE_CACHE_DIR, else XDG_CACHE_HOME/sde, else ~/.cache/sde.
std::filesystem::path module_cache();

/// The name of the module of these sources: of its text, the compiler, the instruction set, the flags, the library and
/// its headers. Throws IoError where there are no headers or library to compile with.
std::string module_key(const ModuleSources&);

/// Compiles the units side by side and links them to `file`, which appears whole or not at all. Ends early where `stop`
/// is set. Returns what went wrong: empty where nothing did, or where it was stopped.
std::string compile_module(const ModuleSources&, const std::filesystem::path& file, const std::atomic<bool>& stop);

}  // namespace sde
