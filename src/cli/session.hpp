// What long-running subcommands share: interruption, threads, the output folder.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "checkpoint_clock.hpp"
#include "sde/ensemble/method.hpp"

namespace sde::cli {

/// Set by SIGINT and SIGTERM from the first call on; a second signal ends the program at once.
const std::atomic<bool>* interruptible();

/// `asked` or, where it is 0, all cores.
int thread_count(int asked);

/// What --threads (0: this process's share of the cores) and --device ask for, interruptible; every rank calls it. Says
/// on standard error, unless `quiet`, where a launcher leaves cores without work.
ensemble::Control control_of(int threads, const std::string& device, bool quiet, ensemble::Ranks* ranks);

/// After a method has stopped before its end; every rank calls it: whether that was a pause, and none is asked to stop.
bool goes_on(const ensemble::Control&);

/// Makes the folder of --out if need be. Throws IoError where it cannot be written to.
void prepare_folder(const std::filesystem::path& folder);

}  // namespace sde::cli
