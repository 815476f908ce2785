// What long-running subcommands share: interruption, threads, the output folder.
#pragma once

#include <atomic>
#include <filesystem>

namespace sde::cli {

/// Set by SIGINT and SIGTERM from the first call on; a second signal ends the program at once.
const std::atomic<bool>* interruptible();

/// `asked` or, where it is 0, all cores.
int thread_count(int asked);

/// Makes the folder of --out if need be. Throws IoError where it cannot be written to.
void prepare_folder(const std::filesystem::path& folder);

}  // namespace sde::cli
