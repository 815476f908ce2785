// Which algorithms share an update rule: by the name of the first of the list that has it.
#pragma once

#include "sde/discrete/algorithms.hpp"

namespace sde::discrete {

namespace detail {

template <class Rule, const auto&... types>
constexpr bool has_rule(AlgorithmList<types...>, std::string_view name) {
  return ((std::string_view(std::remove_cvref_t<decltype(types)>::kName) == name &&
           std::is_same_v<typename std::remove_cvref_t<decltype(types)>::Rule, Rule>) ||
          ...);
}

template <class Rule, const auto&... types>
constexpr const char* first_with_rule(AlgorithmList<types...>) {
  const char* first = nullptr;
  (void)((std::is_same_v<typename std::remove_cvref_t<decltype(types)>::Rule, Rule>
              ? (first = std::remove_cvref_t<decltype(types)>::kName, true)
              : false) ||
         ...);
  return first;
}

}  // namespace detail

/// Whether the algorithm of that name has this update rule.
template <class Rule>
constexpr bool has_rule(std::string_view name) {
  return detail::has_rule<Rule>(Algorithms(), name);
}

/// The name of the first algorithm with this update rule.
template <class Rule>
constexpr const char* first_with_rule() {
  return detail::first_with_rule<Rule>(Algorithms());
}

/// The name of the first algorithm with the update rule of `a`.
inline const char* first_with_rule_of(const Algorithm& a) {
  return Algorithms::with_rule(a, []<class Rule>(const Rule&) { return first_with_rule<Rule>(); });
}

}  // namespace sde::discrete
