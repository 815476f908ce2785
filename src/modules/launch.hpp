// Several processes of this program, started by a launcher (mpirun, srun): which of them this is, and what it has of
// its node.
#pragma once

#include <memory>
#include <string>

#include "sde/ensemble/ranks.hpp"

namespace sde {

/// Whether this build has the MPI module.
bool built_for_mpi();

/// What the launcher's environment says.
struct Launch {
  int rank = 0;
  int size = 1;  ///< 0: there is a launcher, but it does not say of how many
};
Launch launch();

/// The ranks that a launcher has started, all of which call it; nullptr where this process is alone. Throws InputError
/// where there is no MPI module for them, or one of another MPI than the launcher's.
std::unique_ptr<ensemble::Ranks> start_ranks();

/// A rank's place on its node.
struct Place {
  int rank = 0, ranks = 1;  ///< among the ranks of the node
  int threads = 1;          ///< its share of the cores that they may use (the launcher may bind them to some)
};
/// All ranks call it; with nullptr the whole node is this process's.
Place place_of(ensemble::Ranks* ranks);

/// One line for a person: the MPI, or why there is none.
std::string mpi_line();

}  // namespace sde
