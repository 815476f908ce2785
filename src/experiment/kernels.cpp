#include "kernels.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "error.hpp"
#include "sde/version.hpp"

namespace sde {

namespace {

/// Names of the modules of this build, the widest first.
const std::vector<std::string>& levels() {
  static const std::vector<std::string> all{SDE_KERNEL_LEVELS};
  return all;
}

bool runs_here(const std::string& level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") &&
                  __builtin_cpu_supports("movbe") && __builtin_cpu_supports("f16c");
  if (level == "x86-64-v4")
    return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd");
  if (level == "x86-64-v3") return v3;
  return level == "x86-64";
#else
  (void)level;
  return true;
#endif
}

struct Loaded {
  std::string level;
  const KernelTable* table;
};

Loaded load() {
  std::string level;
  if (const char* wanted = std::getenv("SDE_KERNELS"); wanted && *wanted) {
    level = wanted;
    if (std::find(levels().begin(), levels().end(), level) == levels().end())
      throw InputError(fmt::format("SDE_KERNELS={}: expected one of {}", level, fmt::join(levels(), ", ")));
    if (!runs_here(level)) throw InputError(fmt::format("SDE_KERNELS={}: this processor does not run it", level));
  } else {
    for (const auto& l : levels())
      if (level.empty() && runs_here(l)) level = l;
  }
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const auto file = program / SDE_KERNEL_FOLDER / ("kernels-" + level + ".so");
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) throw IoError(fmt::format("the kernels for {} do not load: {}", level, dlerror()));
  const auto table = reinterpret_cast<decltype(&sde_kernel_table)>(dlsym(module, "sde_kernel_table"));
  if (!table) throw IoError(fmt::format("{}: not a module of this program", file.string()));
  const KernelTable* kernels = table();
  if (std::string(kernels->version) != kVersion || kernels->size != sizeof(KernelTable))
    throw IoError(fmt::format("{}: of version {}, this program is {}: build or install both together", file.string(),
                              kernels->version, kVersion));
  return {level, kernels};
}

const Loaded& loaded() {
  static const Loaded one = load();
  return one;
}

}  // namespace

const KernelTable& kernels() { return *loaded().table; }
std::string kernel_level() { return loaded().level; }

std::shared_ptr<const LossModel> model_of(loss::Valley l) { return kernels().valley(l); }
std::shared_ptr<const LossModel> model_of(loss::Hyperbola l) { return kernels().hyperbola(l); }
std::shared_ptr<const LossModel> model_of(loss::Chain l) { return kernels().chain(l); }
std::shared_ptr<const LossModel> model_of(loss::Sphere l) { return kernels().sphere(l); }
std::shared_ptr<const LossModel> model_of(loss::Ring l) { return kernels().ring(l); }
std::shared_ptr<const LossModel> model_of(loss::Flat l) { return kernels().flat(std::move(l)); }
std::shared_ptr<const LossModel> model_of(loss::DiagonalNetwork l) { return kernels().diagonal_network(std::move(l)); }
std::shared_ptr<const LossModel> model_of(loss::TanhNetwork l) { return kernels().tanh_network(std::move(l)); }
std::shared_ptr<const LossModel> model_of(loss::MatrixSensing l) { return kernels().matrix_sensing(std::move(l)); }

}  // namespace sde
