#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "formats.hpp"
#include "numbers.hpp"
#include "sde/core/error.hpp"

namespace sde::experiment {

namespace {

struct Array {
  std::vector<std::uint64_t> shape;
  std::uint64_t first_byte = 0;  ///< of the numbers
  int bytes = 1;                 ///< of each
  std::vector<double> values;
};

NumberType type_of(const ByteStream& in, unsigned char code) {
  switch (code) {
    case 0x08:
      return {'u', 1, true};
    case 0x09:
      return {'i', 1, true};
    case 0x0B:
      return {'i', 2, true};
    case 0x0C:
      return {'i', 4, true};
    case 0x0D:
      return {'f', 4, true};
    case 0x0E:
      return {'f', 8, true};
    default:
      in.fail_at(2, fmt::format("expected a type of numbers, 08, 09, 0b, 0c, 0d or 0e, got {:02x}", code));
  }
}

/// `labels`: what is asked for is one number for each sample; else several.
Array read_array(const std::filesystem::path& file, bool labels) {
  const auto in = open_bytes(file);
  std::array<unsigned char, 4> magic{};
  in->take(magic.data(), magic.size(), "the four bytes that an IDX file begins with");
  if (magic[0] != 0 || magic[1] != 0)
    in->fail_at(0, fmt::format("expected IDX data, which begin with 00 00, got {:02x} {:02x} (other formats are known "
                               "by the end of their name: .csv, .csv.gz, .npz)",
                               magic[0], magic[1]));
  const auto type = type_of(*in, magic[2]);
  const int dimensions = magic[3];
  if (labels ? dimensions != 1 : dimensions < 2 || dimensions > 4)
    in->fail_at(3, fmt::format("expected {}, got {} dimensions: is this the file of the {}?",
                               labels ? "labels, an array of 1 dimension" : "inputs, an array of 2 to 4 dimensions",
                               dimensions, labels ? "inputs" : "labels"));
  Array array;
  for (int k = 0; k < dimensions; ++k) {
    std::array<unsigned char, 4> size{};
    in->take(size.data(), size.size(), fmt::format("its {} sizes", dimensions));
    array.shape.push_back(static_cast<std::uint64_t>(size[0]) << 24 | size[1] << 16 | size[2] << 8 | size[3]);
  }
  array.first_byte = in->position();
  array.bytes = type.bytes;
  const auto count = count_of(*in, array.shape);
  array.values = take_numbers(*in, count, type);
  in->must_end(fmt::format("{} numbers", fmt::join(array.shape, " x ")));
  return array;
}

}  // namespace

LabelledData read_idx(const LabelledFiles& files) {
  if (files.labels.empty())
    throw InputError(fmt::format("{}: IDX data have their labels in a file of their own: expected its name in `labels`",
                                 files.inputs.string()));
  LabelledData data{.inputs_from = files.inputs.string(), .labels_from = files.labels.string(), .x = {}, .y = {}};
  auto inputs = read_array(files.inputs, false);
  const auto labels = read_array(files.labels, true);
  if (inputs.shape[0] != labels.shape[0])
    throw InputError(fmt::format("{}: byte 4: expected {} labels, one for each input of {}, got {}", data.labels_from,
                                 inputs.shape[0], data.inputs_from, labels.shape[0]));
  data.features = inputs.values.size() / static_cast<std::size_t>(inputs.shape[0]);
  data.x = std::move(inputs.values);
  for (std::size_t i = 0; i < labels.values.size(); ++i)
    data.y.push_back(
        label_of(labels.values[i], fmt::format("{}: byte {}: label {}", data.labels_from,
                                               labels.first_byte + i * static_cast<std::size_t>(labels.bytes), i + 1)));
  return data;
}

}  // namespace sde::experiment
