#include "launch.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "module.hpp"
#include "ranks_table.hpp"
#include "sde/core/error.hpp"
#include "sde/ensemble/bytes.hpp"
#include "sde/version.hpp"

namespace sde {

bool built_for_mpi() { return has_module("ranks-mpi"); }

namespace {

const mpi::RanksTable& module() {
  static const auto& table = module_table<mpi::RanksTable>("ranks-mpi", "sde_ranks_table", kVersion);
  return table;
}

std::string number_of(const Launch& l) { return l.size > 0 ? std::to_string(l.size) : std::string("several"); }

/// A name that only processes of one node share.
std::string node() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return name + (" " + boot);
}

struct Seat {
  std::string node;
  std::string cores;  ///< 1 for those that the process may run on
  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& node& cores;
  }
};

Seat seat() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  Seat s{node(), std::string(CPU_SETSIZE, 0)};
  for (int c = 0; c < CPU_SETSIZE; ++c) s.cores[static_cast<std::size_t>(c)] = CPU_ISSET(c, &set) ? 1 : 0;
  return s;
}

}  // namespace

Launch launch() {
  // Open MPI; MPICH, Intel MPI and Slurm's PMI; PMIx, which does not say how many.
  static constexpr const char* names[][2] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                             {"PMI_RANK", "PMI_SIZE"},
                                             {"PMIX_RANK", "SLURM_STEP_NUM_TASKS"}};
  for (const auto& [rank, size] : names)
    if (const char* mine = std::getenv(rank)) {
      const char* all = std::getenv(size);
      return {std::atoi(mine), all ? std::atoi(all) : 0};
    }
  return {};
}

std::unique_ptr<ensemble::Ranks> start_ranks() {
  const Launch started = launch();
  if (started.size == 1) return nullptr;
  if (!built_for_mpi())
    throw InputError(
        fmt::format("a launcher has started {} processes, but this build has no module ranks-mpi, by which they would "
                    "share the work: "
                    "expected a build where CMake finds MPI (scripts/setup installs libopenmpi-dev), or a start "
                    "without the launcher",
                    number_of(started)));
  const mpi::RanksTable* table = nullptr;
  try {
    table = &module();
  } catch (const IoError& e) {
    throw InputError(
        fmt::format("a launcher has started {} processes, which need MPI to share the work, but {}: build and "
                    "install the program where MPI is, or start it without the launcher",
                    number_of(started), e.what()));
  }
  auto ranks = table->start();
  if (started.size > 1 && ranks->size() != started.size)
    throw InputError(
        fmt::format("a launcher has started {} processes, but {} knows of {}: expected the mpirun of that MPI "
                    "(or srun --mpi=pmix)",
                    started.size, table->library(), ranks->size()));
  if (ranks->size() == 1) return nullptr;
  return ranks;
}

Place place_of(ensemble::Ranks* ranks) {
  if (ensemble::alone(ranks)) return {0, 1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};
  const auto gathered = gather(*ranks, "places", [](std::string& bytes) { bytes = ensemble::packed(seat()); });
  gathered.check();
  std::vector<Seat> seats;
  for (const auto& bytes : gathered.bytes) seats.push_back(ensemble::unpacked<Seat>(bytes));
  const auto me = static_cast<std::size_t>(ranks->rank());
  const auto beside = [&](std::size_t r) { return seats[r].node == seats[me].node; };
  Place p{0, 0, 1};
  std::vector<int> users(seats[me].cores.size());  // of each core
  for (std::size_t r = 0; r < seats.size(); ++r) {
    if (!beside(r)) continue;
    if (r == me) p.rank = p.ranks;
    ++p.ranks;
    for (std::size_t c = 0; c < users.size(); ++c) users[c] += seats[r].cores[c];
  }
  double share = 0;
  for (std::size_t c = 0; c < users.size(); ++c)
    if (seats[me].cores[c]) share += 1.0 / users[c];
  p.threads = std::max(1, static_cast<int>(share + 1e-9));
  return p;
}

std::string mpi_line() {
  if (!built_for_mpi())
    return "not in this build: no module ranks-mpi (`scripts/build` makes it where there is libopenmpi-dev)";
  try {
    return module().library();
  } catch (const IoError& e) {
    return e.what();
  }
}

}  // namespace sde
