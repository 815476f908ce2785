// How a built-in loss describes itself, so that experiment files, `sde list`, the modules of kernels and the tests all
// follow from it (cmake/losses.cmake lists them; the class of loss/NAME.hpp is NAME in capitals, DiagonalNetwork for
// diagonal_network):
//
//   static constexpr const char *name = "ring", *formula = "1/2 (1 + a x)(x^2 + y^2 - 1)^2";
//   static WithStart<Ring> make(Keys& keys);
//
// make() asks `keys` for every parameter, with its meaning, default and range, and gives the loss and its default
// start.
#pragma once

#include <concepts>
#include <tuple>
#include <vector>

#include "sde/core/keys.hpp"

namespace sde::loss {

/// A loss and the point, of loss.dim() coordinates, where runs start that name none: on Gamma, or near enough that the
/// flow map takes it there.
template <class L>
struct WithStart {
  L loss;
  std::vector<double> start;
};

template <class L>
concept Described = requires(Keys& keys) {
  { L::name } -> std::convertible_to<const char*>;
  { L::formula } -> std::convertible_to<const char*>;
  { L::make(keys) } -> std::same_as<WithStart<L>>;
};

/// Losses to go through: loss::BuiltIn (built_in.hpp, which CMake makes) is one.
template <Described... L>
struct List {
  template <class Other>
  static constexpr bool contains = (std::same_as<Other, L> || ...);
  /// `use.operator()<L>()` for each in turn.
  template <class Use>
  static void for_each(Use use) {
    (use.template operator()<L>(), ...);
  }
  /// Something of each, of the type `F<L>`; `make.operator()<L>()` gives it.
  template <template <class> class F>
  using Tuple = std::tuple<F<L>...>;
  template <template <class> class F, class Make>
  static Tuple<F> tuple(Make make) {
    return {make.template operator()<L>()...};
  }
};

}  // namespace sde::loss
