#include "session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "../experiment/error.hpp"
#include "cli.hpp"

namespace sde::cli {

namespace {
std::atomic<bool> interrupted{false};
void on_interrupt(int) {
  if (interrupted.exchange(true)) _exit(kInterrupted);
}
}  // namespace

const std::atomic<bool>* interruptible() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  return &interrupted;
}

int thread_count(int asked) {
  return asked > 0 ? asked : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

void add_device_option(CLI::App& sub, std::string& device) {
  sub.add_option("--device", device, "Where paths advance: cpu, cuda or cuda:N (a GPU), auto (a GPU if there is one)")
      ->type_name("DEVICE")
      ->capture_default_str();
}

void prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || access(folder.c_str(), W_OK) != 0)
    throw IoError(fmt::format("--out {}: expected a folder that can be written to ({})", folder.string(),
                              error ? error.message() : std::string("no permission")));
}

}  // namespace sde::cli
