// What `sde bench` measures: pieces of work with a rate, and the floors that bound them, in one run.
#pragma once

#include "../modules/work.hpp"

namespace sde::bench {

/// The toolkit's work, through the kernels in use; on a GPU (device >= 0) those that run there.
std::vector<Work> works(int device);

struct Rate {
  double per_second = 0;  ///< median over the repetitions, all threads
  double slowest = 0, fastest = 0;
};
/// Calls of about `seconds` each, on `threads` threads at once.
Rate measure(const Work&, int threads, double seconds, int repetitions);

}  // namespace sde::bench
