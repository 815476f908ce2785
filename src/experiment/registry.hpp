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
  slow::Vector start;  ///< used where the experiment names none
};

struct LossEntry {
  std::string name, formula;
  std::vector<KeyDescription> keys;  ///< what make() asks for
  NamedLoss (*make)(Keys&);
};

/// The built-in losses (cmake/losses.cmake), as they describe themselves.
const std::vector<LossEntry>& losses();
/// Reads [loss] (name and parameters). Throws InputError.
NamedLoss make_loss(Section& section);

}  // namespace sde::experiment
