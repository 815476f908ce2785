#include "session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "../modules/devices.hpp"
#include "../modules/launch.hpp"
#include "cli.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/ensemble/bytes.hpp"

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

int thread_count(int asked) { return asked > 0 ? asked : place_of(nullptr).threads; }

ensemble::Control control_of(int threads, const std::string& device, bool quiet, ensemble::Ranks* ranks) {
  const Place place = place_of(ranks);
  ensemble::Control control;
  control.ranks = ranks;
  control.interrupted = interruptible();
  control.threads = threads > 0 ? threads : place.threads;
  control.device = device_named(device, place.rank);
  if (alone(ranks)) return control;
  // `auto` where not every rank finds a GPU: what is observed would have other last digits on one side.
  const auto found = gather(*ranks, "devices", [&](std::string& bytes) { bytes = ensemble::packed(control.device); });
  found.check();
  for (const auto& bytes : found.bytes)
    if (ensemble::unpacked<int>(bytes) < 0) control.device = -1;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (leads(ranks) && !quiet && threads == 0 && control.device < 0 && 2 * place.threads * place.ranks <= cores)
    fmt::print(stderr,
               "sde: {} thread{} for each of {} ranks on a node of {} cores, as the launcher binds them (mpirun "
               "--bind-to none leaves them all)\n",
               place.threads, place.threads == 1 ? "" : "s", place.ranks, cores);
  return control;
}

void add_device_option(CLI::App& sub, std::string& device) {
  sub.add_option("--device", device, "Where paths advance: cpu, cuda or cuda:N (a GPU), auto (a GPU if there is one)")
      ->type_name("DEVICE")
      ->capture_default_str();
}

void add_checkpoint_option(CLI::App& sub, CheckpointEvery& every) {
  sub.add_option_function<double>(
         "--checkpoint-every", [&every](double seconds) { every.seconds = seconds; },
         "Seconds between checkpoints in --out (default: 60, or more where they would take over 1% of the time); 0: "
         "only when interrupted")
      ->check(number_of_at_least(0))
      ->type_name("SECONDS");
}

bool goes_on(const ensemble::Control& control) {
  if (alone(control.ranks)) return !control.stopping();
  const auto gathered = gather(
      *control.ranks, "pause", [](std::string&) {}, [&] { return control.stopping(); });
  gathered.check();
  return !gathered.stop;
}

void prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || access(folder.c_str(), W_OK) != 0)
    throw IoError(fmt::format("--out {}: expected a folder that can be written to ({})", folder.string(),
                              error ? error.message() : std::string("no permission")));
}

}  // namespace sde::cli
