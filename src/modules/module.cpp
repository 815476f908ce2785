#include "module.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "sde/core/error.hpp"
#include "sde/version.hpp"

namespace sde {

namespace fs = std::filesystem;

namespace {

/// The folder of the shared library, or of the program, that holds this function.
fs::path own_folder() {
  Dl_info found{};
  if (!dladdr(reinterpret_cast<void*>(&own_folder), &found) || !found.dli_fname) return {};
  std::error_code error;  // the loader gives a relative name where it was given one
  return fs::canonical(found.dli_fname, error).parent_path();
}

/// The file of a module; empty where no folder has it.
std::string file_of(const std::string& name) {
  std::error_code error;
  for (const auto& folder : module_folders())
    if (const auto file = fs::path(folder) / (name + ".so"); fs::exists(file, error)) return file;
  return {};
}

}  // namespace

std::vector<std::string> module_folders() {
  std::vector<fs::path> wanted;
  if (const char* path = std::getenv("SDE_MODULE_PATH")) {
    std::stringstream parts(path);
    for (std::string part; std::getline(parts, part, ':');)
      if (!part.empty()) wanted.emplace_back(part);
  }
  std::error_code error;
  if (const auto program = fs::read_symlink("/proc/self/exe", error); !error)
    wanted.push_back(program.parent_path() / SDE_MODULE_FOLDER);
  if (const auto own = own_folder(); !own.empty()) wanted.push_back(own / "sde");
  wanted.emplace_back(SDE_INSTALLED_MODULES);

  std::vector<std::string> folders;
  for (const auto& folder : wanted)
    if (const std::string there = fs::canonical(folder, error).string();
        !error && std::find(folders.begin(), folders.end(), there) == folders.end())
      folders.push_back(there);
  return folders;
}

bool has_module(const std::string& name) { return !file_of(name).empty(); }

void* module_symbol(const std::string& name, const char* symbol) {
  const std::string file = file_of(name);
  if (file.empty())
    throw IoError(
        fmt::format("the module {} is in none of the folders {}: expected {}.so there, or in one that "
                    "SDE_MODULE_PATH names",
                    name, fmt::join(module_folders(), ", "), name));
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) throw IoError(fmt::format("the module {} does not load: {}", name, dlerror()));
  void* found = dlsym(module, symbol);
  if (!found) throw IoError(fmt::format("{}: not a module of this program", file));
  return found;
}

void refuse_module(const std::string& name, const char* version) {
  throw IoError(fmt::format("the module {} ({}) is of version {}, this program is {}: build or install both together",
                            name, file_of(name), version, kVersion));
}

}  // namespace sde
