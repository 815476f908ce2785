// Parts of an experiment file, as TOML.
#pragma once

#include "experiment.hpp"
#include "section.hpp"

namespace sde::experiment {

/// The text as TOML, whose nodes know the file and their lines. Throws InputError.
toml::table parse(const FileText& file);

/// Reads one [noise] table or several [[noise]] (a sum) for a loss.
Noise read_noise(std::vector<Section> sections, const LossModel& model);

/// Reads `margin` and [verify.margins]. Throws InputError for unknown keys and for margins that are not above 0.
VerifySettings read_verify(Section section);

/// Reads [verify.comparison] or [[verify.comparison]], when the methods are known. Throws InputError.
std::vector<Comparison> read_comparisons(Section verify, const Experiment&);

/// Adds "key=value" to a table; dots descend, numbers index arrays, from 0, * stands for all of an array's tables. The
/// value is TOML, or text if it is not. Throws InputError.
void assign(toml::table& table, const std::string& assignment);

}  // namespace sde::experiment
