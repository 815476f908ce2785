#include "kernels.hpp"

#if defined(__x86_64__)
#  include <cpuid.h>
#endif
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "module.hpp"
#include "sde/core/error.hpp"
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
  // Clang 14 does not know these three by name.
  unsigned a = 0, b = 0, basic = 0, extended = 0, d = 0;
  __get_cpuid(1, &a, &b, &basic, &d);
  __get_cpuid(0x80000001, &a, &b, &extended, &d);
  const bool others = (basic & bit_MOVBE) && (basic & bit_F16C) && (extended & bit_LZCNT);
  const bool v3 = others && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
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
    // The widest that runs here and was built; where none was, the widest that runs, for the message.
    std::vector<std::string> usable;
    std::copy_if(levels().begin(), levels().end(), std::back_inserter(usable), runs_here);
    const auto built = std::find_if(usable.begin(), usable.end(), [](auto& l) { return has_module("kernels-" + l); });
    if (!usable.empty()) level = built != usable.end() ? *built : usable.front();
  }
  return {level, &module_table<KernelTable>("kernels-" + level, "sde_kernel_table", kVersion)};
}

const Loaded& loaded() {
  static const Loaded one = load();
  return one;
}

}  // namespace

const KernelTable& kernels() { return *loaded().table; }
std::string kernel_level() { return loaded().level; }

}  // namespace sde
