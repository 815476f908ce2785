#include "module.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "error.hpp"
#include "sde/version.hpp"

namespace sde {

namespace {
std::filesystem::path file_of(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / SDE_KERNEL_FOLDER / (name + ".so");
}
}  // namespace

bool has_module(const std::string& name) { return std::filesystem::exists(file_of(name)); }

void* module_symbol(const std::string& name, const char* symbol) {
  const auto file = file_of(name);
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) throw IoError(fmt::format("the module {} does not load: {}", name, dlerror()));
  void* found = dlsym(module, symbol);
  if (!found) throw IoError(fmt::format("{}: not a module of this program", file.string()));
  return found;
}

void refuse_module(const std::string& name, const char* version) {
  throw IoError(fmt::format("the module {} is of version {}, this program is {}: build or install both together", name,
                            version, kVersion));
}

}  // namespace sde
