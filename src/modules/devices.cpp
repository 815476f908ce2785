#include "devices.hpp"

#include <fmt/format.h>

#include <charconv>

#include "module.hpp"
#include "sde/core/error.hpp"
#include "sde/version.hpp"

namespace sde {

bool built_for_cuda() { return has_module("kernels-cuda"); }

const gpu::DeviceTable& cuda() {
  static const auto& table = []() -> const gpu::DeviceTable& {
    if (!built_for_cuda())
      throw DeviceUnusable(
          "this build has no GPU backend, the module kernels-cuda: `scripts/build` makes it where there is a CUDA "
          "compiler");
    return module_table<gpu::DeviceTable>("kernels-cuda", "sde_device_table", kVersion);
  }();
  return table;
}

int device_named(const std::string& text, int rank) {
  if (text == "cpu") return -1;
  if (text == "auto") return built_for_cuda() && !cuda().devices().all.empty() ? device_named("cuda", rank) : -1;
  int ordinal = 0;
  if (text != "cuda") {
    const char *first = text.data() + 5, *last = text.data() + text.size();
    const auto parsed = text.rfind("cuda:", 0) == 0 ? std::from_chars(first, last, ordinal)
                                                    : std::from_chars_result{first, std::errc::invalid_argument};
    if (parsed.ec != std::errc() || parsed.ptr != last || first == last || ordinal < 0)
      throw InputError(fmt::format("--device {}: expected auto, cpu, cuda or cuda:N", text));
  }
  const auto found = cuda().devices();
  if (found.all.empty())
    throw DeviceUnusable(
        fmt::format("--device {}: no usable CUDA device: {} ({})", text, found.problem, found.versions));
  if (text == "cuda") return rank % static_cast<int>(found.all.size());
  if (ordinal >= static_cast<int>(found.all.size()))
    throw DeviceUnusable(
        fmt::format("--device {}: there is no device {}: expected 0 to {}", text, ordinal, found.all.size() - 1));
  return ordinal;
}

std::string device_line(int device) {
  if (!built_for_cuda())
    return "not in this build: no module kernels-cuda (`scripts/build` makes it where there is a CUDA compiler)";
  const auto found = cuda().devices();
  if (found.all.empty()) return fmt::format("no device: {} ({})", found.problem, found.versions);
  const auto& p = found.all[static_cast<std::size_t>(device)];
  return fmt::format("cuda:{} {}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB ({})", device, p.name,
                     p.major, p.minor, p.multiprocessors, static_cast<double>(p.memory) / (1 << 30), found.versions);
}

}  // namespace sde
