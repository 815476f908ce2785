// What the MPI module gives. Like the kernels' modules it is a shared object with all symbols hidden but one, loaded
// where a launcher has started several processes: the program itself needs no MPI. launch.cpp loads it.
#pragma once

#include <memory>
#include <string>

#include "sde/ensemble/ranks.hpp"

namespace sde::mpi {

struct RanksTable {
  const char* version;  ///< of the project, and the table's size: a module of another build is refused
  unsigned long size;
  std::string (*library)();  ///< "Open MPI v4.1.4"
  /// Starts MPI, which ends with the object: that waits for all ranks. Once in a process.
  std::unique_ptr<ensemble::Ranks> (*start)();
};

}  // namespace sde::mpi

extern "C" const sde::mpi::RanksTable* sde_ranks_table();
