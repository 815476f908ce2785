// The built-in losses by name, with their parameters and default starts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sde/model/model.hpp"
#include "section.hpp"

namespace sde::experiment {

struct NamedLoss {
  std::shared_ptr<const LossModel> model;
  slow::Vector start;  ///< used where the experiment names none; of no coordinates where there is none
  std::string name;    ///< for tables
  std::vector<std::string> variables, notes;  ///< of a formula: names of the coordinates, what the user should know
};

/// What a loss is called, and its keys.
struct LossDescription {
  std::string name, formula;
  std::vector<KeyDescription> keys;
};
struct LossEntry : LossDescription {
  NamedLoss (*make)(Keys&);
};

/// The built-in losses (cmake/losses.cmake), as they describe themselves.
const std::vector<LossEntry>& losses();
/// Reads [loss]: a name and parameters, a formula (formula.hpp), or a network on data (perceptron.hpp,
/// tanh_on_data.hpp). Throws InputError.
NamedLoss make_loss(Section& section);

}  // namespace sde::experiment
