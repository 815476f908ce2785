// A training set and a test set as [loss] names them, of every loss on labelled data.
#pragma once

#include <string>
#include <vector>

#include "labelled/labelled_data.hpp"
#include "sde/core/error.hpp"
#include "section.hpp"

namespace sde::experiment {

/// What [loss] says of its data.
struct SetsSettings {
  std::string data, labels, test_data, test_labels, inputs;
  std::vector<std::string> arrays, test_arrays;
  bool label_first = false;
  long train = 0, samples = 0;
  std::uint64_t shuffle = 0;
};

struct LabelledSets {
  LabelledData training, test;
};

SetsSettings read_sets_settings(Keys&);
/// All training and test samples of the files. Throws InputError.
LabelledSets read_sets(const Section& loss, const SetsSettings&);
/// Keeps the first `samples` of the training set. Throws InputError.
void keep_samples(const Section& loss, const SetsSettings&, LabelledSets&);
/// x - shift over scale, of each feature: `inputs` is scaled, standard or raw.
void transform(LabelledSets&, const std::string& inputs);

/// read(), and where it fails, which key is to blame.
template <class Read>
auto blaming(const Section& loss, const char* key, Read read) {
  try {
    return read();
  } catch (const InputError& e) {
    loss.fail(key, e.what());
  }
}

}  // namespace sde::experiment
