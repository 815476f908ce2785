#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "../data_file.hpp"
#include "formats.hpp"
#include "numbers.hpp"
#include "sde/core/error.hpp"

namespace sde::experiment {

namespace {

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;

/// An array of the archive, unpacked as it is read.
class Entry final : public ByteStream {
 public:
  Entry(zip_t* archive, const std::string& file, const std::string& array)
      : ByteStream(file + ": array " + array), file_(zip_fopen(archive, (array + ".npy").c_str(), 0), zip_fclose) {
    if (!file_) fail(fmt::format("cannot be unpacked ({})", zip_strerror(archive)));
  }

 protected:
  std::size_t read_some(void* to, std::size_t size) override {
    const auto got = zip_fread(file_.get(), to, size);
    if (got < 0) fail(fmt::format("not a valid archive ({}): fetch it again", zip_file_strerror(file_.get())));
    return static_cast<std::size_t>(got);
  }

 private:
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file_;
};

struct Array {
  std::vector<std::uint64_t> shape;
  std::vector<double> values;  ///< row by row
};

/// Of the dictionary that an NPY file begins with, the text behind 'key':.
std::string_view value_of(const ByteStream& in, std::string_view header, std::string_view key) {
  const auto place = header.find(fmt::format("'{}':", key));
  if (place == std::string_view::npos) in.fail(fmt::format("expected '{}' in the header, got {}", key, header));
  auto rest = header.substr(place + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

NumberType type_of(const ByteStream& in, std::string_view text) {
  const auto end = text.find('\'', 1);
  const auto code = end == std::string_view::npos ? text.substr(0, 20) : text.substr(1, end - 1);
  constexpr std::array kKnown{"|u1", "|i1", "<u1", "<i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8",
                              "<f4", "<f8", ">u2", ">i2", ">u4", ">i4", ">u8", ">i8", ">f4", ">f8"};
  if (std::find(kKnown.begin(), kKnown.end(), code) == kKnown.end())
    in.fail(
        fmt::format("an array of type '{}': expected integers of 1 to 8 bytes or floats of 4 or 8 (objects are "
                    "Python's alone)",
                    code));
  return {code[1], code[2] - '0', code[0] == '>'};
}

std::vector<std::uint64_t> shape_of(const ByteStream& in, std::string_view text) {
  std::vector<std::uint64_t> shape;
  const auto end = text.find(')');
  if (text.empty() || text[0] != '(' || end == std::string_view::npos)
    in.fail(fmt::format("expected a shape in the header, got {}", text.substr(0, 40)));
  for (auto rest = text.substr(1, end - 1); !rest.empty();) {
    std::uint64_t size = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (error != std::errc{}) in.fail(fmt::format("expected sizes in the header, got '{}'", rest.substr(0, 40)));
    shape.push_back(size);
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    rest.remove_prefix(std::min(rest.find_first_not_of(", "), rest.size()));
  }
  return shape;
}

/// An array that is written column by column, row by row.
std::vector<double> row_by_row(const std::vector<double>& columns, const std::vector<std::uint64_t>& shape) {
  std::vector<double> rows(columns.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (double& value : rows) {
    std::size_t place = 0, stride = 1;
    for (std::size_t k = 0; k < shape.size(); stride *= shape[k++]) place += index[k] * stride;
    value = columns[place];
    for (std::size_t k = shape.size(); k-- > 0;) {
      if (++index[k] < shape[k]) break;
      index[k] = 0;
    }
  }
  return rows;
}

Array read_array(zip_t* archive, const std::string& file, const std::string& name) {
  Entry in(archive, file, name);
  std::array<unsigned char, 8> magic{};
  in.take(magic.data(), magic.size(), "the bytes that an NPY file begins with");
  if (std::memcmp(magic.data(), "\x93NUMPY", 6) != 0)
    in.fail_at(0, "expected NumPy's array, which begins with 93 'NUMPY'");
  const std::size_t size_bytes = magic[6] == 1 ? 2 : 4;
  if (magic[6] < 1 || magic[6] > 3) in.fail_at(6, fmt::format("expected version 1, 2 or 3, got {}", magic[6]));
  std::array<unsigned char, 4> size{};
  in.take(size.data(), size_bytes, "the size of its header");
  const std::size_t length = size[0] | size[1] << 8 | size[2] << 16 | static_cast<std::size_t>(size[3]) << 24;
  constexpr std::size_t kLongest = 1 << 16;
  if (length > kLongest) in.fail(fmt::format("a header of {} bytes: expected at most {}", length, kLongest));
  std::string header(length, ' ');
  in.take(header.data(), header.size(), "its header");
  const auto type = type_of(in, value_of(in, header, "descr"));
  Array array{.shape = shape_of(in, value_of(in, header, "shape")), .values = {}};
  const auto count = count_of(in, array.shape);
  array.values = take_numbers(in, count, type);
  in.must_end(fmt::format("{} numbers", fmt::join(array.shape, " x ")));
  if (value_of(in, header, "fortran_order").starts_with("True")) array.values = row_by_row(array.values, array.shape);
  return array;
}

std::vector<std::string> arrays_of(zip_t* archive) {
  std::vector<std::string> names;
  const auto count = zip_get_num_entries(archive, 0);
  for (zip_int64_t k = 0; k < count && names.size() < 100; ++k)
    if (const char* name = zip_get_name(archive, static_cast<zip_uint64_t>(k), 0))
      if (const std::string_view text(name); text.ends_with(".npy"))
        names.emplace_back(text.substr(0, text.size() - 4));
  return names;
}

/// The names of the arrays: those given, or the first pair that there is.
std::vector<std::string> chosen(const LabelledFiles& files, const std::vector<std::string>& there) {
  const auto has = [&](const std::string& name) { return std::find(there.begin(), there.end(), name) != there.end(); };
  if (!files.arrays.empty()) {
    if (files.arrays.size() != 2)
      throw InputError(fmt::format("expected two names of arrays, inputs and labels, got {}", files.arrays.size()));
    for (const auto& name : files.arrays)
      if (!has(name))
        throw InputError(fmt::format("{}: there is no array '{}': expected one of {}", files.inputs.string(), name,
                                     fmt::join(there, ", ")));
    return files.arrays;
  }
  for (const std::vector<std::string>& pair : {std::vector<std::string>{"x", "y"}, {"X", "y"}, {"x_train", "y_train"}})
    if (has(pair[0]) && has(pair[1])) return pair;
  throw InputError(fmt::format("{}: expected arrays x and y (or their names in `arrays`), got {}",
                               files.inputs.string(), fmt::join(there, ", ")));
}

}  // namespace

LabelledData read_npz(const LabelledFiles& files) {
  const auto file = files.inputs.string();
  if (!files.labels.empty())
    throw InputError(fmt::format("{}: an NPZ file has its labels in an array: expected no file of labels, got {}", file,
                                 files.labels.string()));
  int error = 0;
  const Archive archive(zip_open(file.c_str(), ZIP_RDONLY, &error), zip_discard);
  if (!archive) {
    zip_error_t why;
    zip_error_init_with_code(&why, error);
    const std::string text = zip_error_strerror(&why);
    zip_error_fini(&why);
    throw InputError(fmt::format("{}: cannot be read as an NPZ archive: {}", file, text));
  }
  const auto names = chosen(files, arrays_of(archive.get()));
  auto inputs = read_array(archive.get(), file, names[0]);
  const auto labels = read_array(archive.get(), file, names[1]);
  if (inputs.shape.size() < 2)
    throw InputError(fmt::format("{}: array {}: expected inputs, an array of 2 dimensions or more, got {}", file,
                                 names[0], inputs.shape.size()));
  if (labels.values.size() != labels.shape[0])
    throw InputError(fmt::format("{}: array {}: expected labels, one number each, got {}", file, names[1],
                                 fmt::join(labels.shape, " x ")));
  if (labels.shape[0] != inputs.shape[0])
    throw InputError(fmt::format("{}: array {}: expected {} labels, one for each input of {}, got {}", file, names[1],
                                 inputs.shape[0], names[0], labels.shape[0]));
  LabelledData data{.inputs_from = fmt::format("{}: array {}", file, names[0]),
                    .labels_from = fmt::format("{}: array {}", file, names[1]),
                    .features = inputs.values.size() / static_cast<std::size_t>(inputs.shape[0]),
                    .x = std::move(inputs.values),
                    .y = {}};
  for (std::size_t i = 0; i < labels.values.size(); ++i)
    data.y.push_back(label_of(labels.values[i], fmt::format("{}: label {}", data.labels_from, i + 1)));
  return data;
}

}  // namespace sde::experiment
