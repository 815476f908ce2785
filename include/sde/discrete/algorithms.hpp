// All algorithms. Adding one: its file, and its name in the list at the end.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "sde/discrete/adam.hpp"
#include "sde/discrete/delayed_sgd.hpp"
#include "sde/discrete/diloco.hpp"
#include "sde/discrete/gossip.hpp"
#include "sde/discrete/heavy_ball.hpp"
#include "sde/discrete/linear.hpp"
#include "sde/discrete/local_adam.hpp"
#include "sde/discrete/local_momentum.hpp"
#include "sde/discrete/local_rmsprop.hpp"
#include "sde/discrete/local_sgd.hpp"
#include "sde/discrete/lookahead.hpp"
#include "sde/discrete/metric_sgd.hpp"
#include "sde/discrete/nesterov.hpp"
#include "sde/discrete/post_local_sgd.hpp"
#include "sde/discrete/qsr.hpp"
#include "sde/discrete/rmsprop.hpp"
#include "sde/discrete/sgd.hpp"
#include "sde/discrete/slow_mo.hpp"

namespace sde::discrete {

/// A list of AlgorithmType objects of different classes.
template <const auto&... types>
struct AlgorithmList {
  /// Pointers to them, in their order.
  static const std::array<const AlgorithmType*, sizeof...(types)>& all() {
    static const std::array<const AlgorithmType*, sizeof...(types)> pointers{&types...};
    return pointers;
  }
  /// use(rule) with the update rule of an algorithm of any of the types.
  template <class Use>
  static auto with_rule(const Algorithm& a, Use use) {
    return find<std::remove_cvref_t<decltype(types)>...>(a, use);
  }

 private:
  template <class First, class... Rest, class Use>
  static auto find(const Algorithm& a, Use& use) {
    // By name: the objects of a module are others than the program's.
    if (std::string_view(a.type->name()) == First::kName) return use(First::rule(a));
    if constexpr (sizeof...(Rest) > 0)
      return find<Rest...>(a, use);
    else
      throw std::logic_error(std::string(a.type->name()) + " is not in the list of algorithms.hpp");
  }
};

/// All algorithms.
using Algorithms =
    AlgorithmList<sgd, local_sgd, post_local_sgd, qsr, heavy_ball, nesterov, local_momentum, diloco, lookahead, slow_mo,
                  gossip, delayed_sgd, linear, rmsprop, adam, local_rmsprop, local_adam, metric_sgd>;

}  // namespace sde::discrete
