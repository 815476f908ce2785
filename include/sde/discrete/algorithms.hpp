// All algorithms. Adding one: its file, and its name in this list.
#pragma once

#include <array>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include "sde/discrete/local_sgd.hpp"
#include "sde/discrete/post_local_sgd.hpp"
#include "sde/discrete/qsr.hpp"
#include "sde/discrete/sgd.hpp"

namespace sde::discrete {

/// Types of algorithms, as objects and by their update rules.
template <class... Types>
struct AlgorithmList {
  static const std::array<const AlgorithmType*, sizeof...(Types)>& all() {
    static const std::tuple<Types...> objects;
    static const std::array<const AlgorithmType*, sizeof...(Types)> pointers{&std::get<Types>(objects)...};
    return pointers;
  }
  /// use(rule) with the update rule of an algorithm of any of the types.
  template <class Use>
  static auto with_rule(const Algorithm& a, Use use) {
    return find<Use, Types...>(a, use);
  }

 private:
  template <class Use, class First, class... Rest>
  static auto find(const Algorithm& a, Use& use) {
    // By name: the objects of a module are others than the program's.
    if (std::string_view(a.type->name()) == First::kName) return use(First::rule(a));
    if constexpr (sizeof...(Rest) > 0)
      return find<Use, Rest...>(a, use);
    else
      throw std::logic_error(std::string(a.type->name()) + " is not in the list of algorithms.hpp");
  }
};

/// Those of the toolkit.
using Algorithms = AlgorithmList<Sgd, LocalSgd, PostLocalSgd, Qsr>;

}  // namespace sde::discrete
