// Draws of mean 0 and variance 1 for one purpose.
#pragma once

#include "sde/discrete/drawing.hpp"
#include "sde/random/streams.hpp"

namespace sde::discrete {

/// Standard normals, a step's at a time. Where kCoarsened, each is the normalized sum of `coarsening` draws of the
/// finer algorithm, in its order, of at most kMost (kDynamic: the constructor's) in a step.
template <class T, class Team, bool kCoarsened, int kMost>
class StepNormals {
 public:
  SDE_DEVICE StepNormals(random::Purpose purpose, int, const Team& team) : stream_({}, purpose, 0, team) {}
  SDE_DEVICE void restart(const random::StreamKey& key, std::uint64_t index) { stream_.restart(key, index); }
  SDE_DEVICE T next() { return stream_.next(); }
  /// Before a step's draw(0), ..., draw(count - 1).
  SDE_DEVICE void prepare(int, int) {}
  SDE_DEVICE T draw(int) { return stream_.next(); }

 private:
  random::TeamNormals<T, Team> stream_;
};

template <class T, class Team, int kMost>
class StepNormals<T, Team, true, kMost> {
 public:
  SDE_DEVICE StepNormals(random::Purpose purpose, int most, const Team& team)
      : stream_({}, purpose, 0, team), draws_(most) {}
  SDE_DEVICE void restart(const random::StreamKey& key, std::uint64_t index) { stream_.restart(key, index); }
  SDE_DEVICE T next() { return stream_.next(); }
  SDE_DEVICE void prepare(int count, int coarsening) {
    const T scale = T(1.0 / std::sqrt(coarsening));
    for (int f = 0; f < coarsening; ++f)
      for_indices<kMost>(count, [&](int s) {
        const T drawn = stream_.next();
        draws_[s] = f == 0 ? drawn : draws_[s] + drawn;
      });
    for_indices<kMost>(count, [&](int s) { draws_[s] *= scale; });
  }
  SDE_DEVICE T draw(int s) {
    T drawn = draws_[0];
    at_index<kMost>(s, [&](int c) { drawn = draws_[c]; });
    return drawn;
  }

 private:
  random::TeamNormals<T, Team> stream_;
  Buffer<T, kMost> draws_;
};

/// An increment of the conventional SDE: +-1, or normal.
template <class Normals, class Signs>
SDE_INLINE auto increment(bool two_point, Normals& normals, Signs& signs) {
  return two_point ? signs.next() : normals.next();
}

}  // namespace sde::discrete
