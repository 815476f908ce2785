// The methods of an experiment file: which kinds there are, their keys, and reading them.
#pragma once

#include <map>

#include "experiment.hpp"
#include "section.hpp"

namespace sde::experiment {

/// kind = ...: an algorithm, and what moves its paths.
struct MethodKind {
  const ensemble::Dynamics* dynamics;
  const discrete::AlgorithmType* type;
};
const std::map<std::string, MethodKind>& method_kinds();

/// The keys of all kinds together, those of all methods first: what [training] may hold.
const std::vector<KeyDescription>& method_keys();

/// An algorithm alone, by the keys that all have and its own, with kind = its type. Throws InputError.
discrete::Algorithm read_algorithm(Section&);

/// Reads a [[method]] laid over [training]: the method, its group and name empty where the file gives none, and the
/// values of its keys. `paths` and `time` are those of [experiment]. Throws InputError.
std::pair<ensemble::Method, KeyValues> read_method(Section&, const Experiment&, long paths, double time);

}  // namespace sde::experiment
