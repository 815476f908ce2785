#include "registry.hpp"

#include "../modules/models.hpp"
#include "formula.hpp"
#include "perceptron.hpp"
#include "tanh_on_data.hpp"

namespace sde::experiment {

namespace {

template <class L>
NamedLoss make(Keys& keys) {
  auto [loss, start] = L::make(keys);
  return {model_of(std::move(loss)),
          Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size())),
          L::name,
          {},
          {}};
}

template <class L>
LossEntry entry() {
  Defaults defaults;
  L::make(defaults);
  return {{L::name, L::formula, std::move(defaults.asked)}, make<L>};
}

}  // namespace

const std::vector<LossEntry>& losses() {
  static const auto table = [] {
    std::vector<LossEntry> all;
    loss::BuiltIn::for_each([&]<class L>() { all.push_back(entry<L>()); });
    return all;
  }();
  return table;
}

NamedLoss make_loss(Section& section) {
  if (is_formula(section)) return make_formula(section);
  std::vector<std::string> names;
  for (const auto& e : losses()) names.push_back(e.name);
  names.push_back(tanh_on_data().name);
  names.push_back(perceptron().name);
  const std::string name = section.choice({"name", "one of the built-in losses, where there is no formula"}, "", names);
  if (name == perceptron().name) return make_perceptron(section);
  if (name == tanh_on_data().name) return make_tanh_on_data(section);
  for (const auto& e : losses())
    if (e.name == name) {
      auto loss = e.make(section);
      section.finish();
      return loss;
    }
  throw InputError("no loss");
}

}  // namespace sde::experiment
