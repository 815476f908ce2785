// An algorithm and what moves its paths, in a word each.
#pragma once

#include "sde/discrete/algorithms.hpp"
#include "sde/ensemble/method.hpp"

namespace sde::test {

struct Kind {
  const ensemble::Dynamics* dynamics;
  const discrete::AlgorithmType* type;
  bool operator==(const Kind&) const = default;
  static const Kind sgd, local_sgd, slow_sgd, slow_local_sgd, slow_qsr, conventional_local_sgd, coupled_slow;
};
inline const Kind Kind::sgd{&ensemble::discrete_algorithm(), &discrete::sgd};
inline const Kind Kind::local_sgd{&ensemble::discrete_algorithm(), &discrete::local_sgd};
inline const Kind Kind::slow_sgd{&ensemble::slow_sde(), &discrete::sgd};
inline const Kind Kind::slow_local_sgd{&ensemble::slow_sde(), &discrete::local_sgd};
inline const Kind Kind::slow_qsr{&ensemble::slow_sde(), &discrete::qsr};
inline const Kind Kind::conventional_local_sgd{&ensemble::conventional_sde(), &discrete::local_sgd};
inline const Kind Kind::coupled_slow{&ensemble::coupled_slow_sdes(), &discrete::local_sgd};

/// SGD has one worker, whatever the method had.
inline void set(ensemble::Method& m, const Kind& kind) {
  m.dynamics = kind.dynamics;
  m.algorithm.type = kind.type;
  if (kind.type == &discrete::sgd) m.algorithm.workers = 1;
}

}  // namespace sde::test
