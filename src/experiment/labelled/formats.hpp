// The formats of labelled data (labelled_data.hpp).
#pragma once

#include "byte_stream.hpp"
#include "labelled_data.hpp"

namespace sde::experiment {

LabelledData read_labelled_csv(const LabelledFiles&);
/// IDX, the format of the MNIST family: big-endian sizes, then numbers.
LabelledData read_idx(const LabelledFiles&);
/// NumPy's archive of arrays.
LabelledData read_npz(const LabelledFiles&);

/// A label that a file has as a number. Throws InputError, "PLACE: expected ..., got ...".
int label_of(double value, const std::string& place);

}  // namespace sde::experiment
