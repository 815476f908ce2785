#include <fmt/format.h>
#include <netcdf.h>
#include <Eigen/Core>
#include <boost/version.hpp>

#include <algorithm>
#include <fstream>
#include <thread>

#include "../modules/devices.hpp"
#include "../modules/kernels.hpp"
#include "../modules/launch.hpp"
#include "cli.hpp"
#include "sde/version.hpp"

namespace sde::cli {

namespace {
std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line))
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}
void print_devices() {
  const std::size_t count = built_for_cuda() ? cuda().devices().all.size() : 0;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, count); ++i)
    fmt::print("CUDA        {}\n", device_line(static_cast<int>(i)));
}
}  // namespace

Command add_info(CLI::App& app) {
  auto* sub = app.add_subcommand("info", "Build, processor, devices and library versions");
  sub->footer("Example:\n  sde info");
  return {sub, [] {
            fmt::print("sde         {}\n", kVersion);
            fmt::print("compiler    {} ({})\n", __VERSION__, SDE_BUILD_TYPE);
            fmt::print("processor   {}, {} threads\n", cpu_model(), std::thread::hardware_concurrency());
            fmt::print("kernels     {}, {} doubles a register (SDE_KERNELS chooses another)\n", kernel_level(),
                       kernels().register_bytes / 8);
            print_devices();
            fmt::print("MPI         {}\n", mpi_line());
            fmt::print("libraries   Eigen {}.{}.{}, Boost {}, fmt {}, netCDF {}\n", EIGEN_WORLD_VERSION,
                       EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION, BOOST_LIB_VERSION, FMT_VERSION, nc_inq_libvers());
            fmt::print("figures     {} {}\n", SDE_PYTHON_DEFAULT, plot_script("plot.py"));
            return static_cast<int>(kDone);
          }};
}

}  // namespace sde::cli
