// Several processes at one run: ranks, as MPI calls them. All of them call the same functions in the same order; what
// one has to say (a result, an interruption, an error) it says in the next gathering, so none waits for another that
// has stopped.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sde::ensemble {

/// The processes of a run, and how they exchange what they have.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int rank() const = 0;  ///< of this process, from 0
  virtual int size() const = 0;
  /// Every rank calls it, and gets what each of them handed in, in the order of the ranks.
  virtual std::vector<std::string> all_gather(const std::string& mine) = 0;
};

/// Whether this process runs by itself.
inline bool alone(const Ranks* ranks) { return !ranks || ranks->size() == 1; }
/// Whether it is the one that writes and speaks.
inline bool leads(const Ranks* ranks) { return !ranks || ranks->rank() == 0; }

/// An error of rank `rank` which all ranks have heard of, and which all throw: as RankError<Error>, where Error is
/// InputError, IoError, DeviceUnusable, DeviceFailure or, for all others, std::runtime_error.
struct RankFailure {
  int rank = 0;
};
/// The error with the rank where it happened.
template <class Error>
struct RankError : Error, RankFailure {
  RankError(const std::string& text, int of) : Error(text), RankFailure{of} {}
};

/// What the ranks handed in.
struct Gathered {
  std::vector<std::string> bytes;  ///< of each rank
  bool interrupted = false;        ///< some rank's work threw Interrupted
  bool stop = false;               ///< that, or some rank is asked to stop
  std::function<void()> check;     ///< throws RankError for the first rank whose work failed
};

/// Every rank calls it: runs work(bytes) and gathers the bytes of all, also those of one that threw. `place` says where
/// in the program they are: ranks that are not at the same place have come apart, which check() says.
Gathered gather(Ranks&, const std::string& place, const std::function<void(std::string& bytes)>& work,
                const std::function<bool()>& asked_to_stop = {});

/// What work() gives on rank 0, on every rank; on the others it is not called. Throws RankError.
std::string from_rank_0(Ranks*, const std::string& place, const std::function<std::string()>& work);

/// A whole program on every rank: what one throws, and no gathering within has told, all throw. Gives rank 0's result.
/// Throws RankError; alone, what run() throws.
int run_on_all(Ranks*, const std::function<int()>& run);

}  // namespace sde::ensemble
