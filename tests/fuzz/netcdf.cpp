// libFuzzer's target for netCDF: as data of a loss, and as the dataset of a cell of a sweep. The input is the file, or
// (where it begins with "+") says what a sound file has: dimensions, variables of types, values. The first looks for
// faults of the netCDF library, too; the second gets to the reader.
#include <netcdf.h>

#include <cmath>
#include <string>
#include <vector>

#include "../../src/experiment/cell_file.hpp"
#include "../../src/experiment/data_file.hpp"
#include "sde/core/error.hpp"
#include "written_input.hpp"

using namespace sde;
using namespace sde::experiment;

namespace {

/// Bytes of the input, one after another; 0 beyond its end.
class Bytes {
 public:
  Bytes(const unsigned char* data, std::size_t size) : data_(data), end_(data + size) {}
  bool empty() const { return data_ == end_; }
  int operator()(int below) { return empty() ? 0 : *data_++ % below; }
  std::string text() {
    std::string s;
    for (int n = (*this)(40); n > 0; --n) s += static_cast<char>((*this)(256));
    return s;
  }

 private:
  const unsigned char *data_, *end_;
};

/// Names that the readers look for, and one more.
std::string name_of(Bytes& in) {
  static const std::vector<std::string> known{"run",
                                              "kind",
                                              "group",
                                              "time",
                                              "paths_total",
                                              "paths_lost",
                                              "gradient_evaluations",
                                              "failure",
                                              "slow_time",
                                              "loss",
                                              "loss_se",
                                              "trace_hessian",
                                              "trace_hessian_se",
                                              "pair_algorithm",
                                              "pair_theory",
                                              "difference_trace_hessian",
                                              "difference_trace_hessian_se",
                                              "x",
                                              "x1",
                                              "x2",
                                              "y"};
  const auto k = static_cast<std::size_t>(in(static_cast<int>(known.size()) + 1));
  return k < known.size() ? known[k] : in.text();
}

void build(const char* path, Bytes in) {
  int id = 0;
  if (nc_create(path, NC_NETCDF4 | NC_CLOBBER, &id) != NC_NOERR) return;
  std::vector<int> dims;
  for (int n = in(5); n > 0; --n) {
    int dim = 0;
    if (nc_def_dim(id, ("d" + std::to_string(n)).c_str(), static_cast<std::size_t>(in(4)), &dim) == NC_NOERR)
      dims.push_back(dim);
  }
  for (int n = in(3); n > 0; --n) {
    const std::string text = in(2) ? R"(["loss","trace_hessian"])" : in.text();
    nc_put_att_text(id, NC_GLOBAL, in(2) ? "observables" : "sweep", text.size(), text.data());
  }
  while (!in.empty()) {
    const auto name = name_of(in);
    std::vector<int> of;
    for (int n = in(4); n > 0 && !dims.empty(); --n)
      of.push_back(dims[static_cast<std::size_t>(in(static_cast<int>(dims.size())))]);
    static constexpr nc_type kTypes[]{NC_DOUBLE, NC_STRING, NC_INT, NC_CHAR, NC_FLOAT, NC_UINT64};
    int variable = 0;
    if (nc_def_var(id, name.c_str(), kTypes[in(6)], static_cast<int>(of.size()), of.data(), &variable) != NC_NOERR)
      continue;
    nc_type type = NC_NAT;
    nc_inq_vartype(id, variable, &type);
    std::size_t index[NC_MAX_VAR_DIMS] = {};
    for (int k = in(4); k > 0; --k) {
      if (!of.empty()) index[of.size() - 1] = static_cast<std::size_t>(k - 1);
      const double values[]{0, 1.5, -3, std::nan(""), 1e300};
      const std::string text = in.text();
      const char* pointer = text.c_str();
      if (type == NC_STRING)
        nc_put_var1_string(id, variable, index, &pointer);
      else if (type != NC_CHAR)
        nc_put_var1_double(id, variable, index, &values[in(5)]);
    }
  }
  nc_close(id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const fuzz::WrittenInput file("nc");
  if (size > 0 && data[0] == '+')
    build(file.path.c_str(), {data + 1, size - 1});
  else
    file.write(data, size);
  try {
    const auto table = read_data(file.path);
    // That all have as many rows is seen to where they are named (formula_names.cpp).
    for (const auto& column : table.columns)
      if (column.width < 1 || column.values.empty() ||
          column.values.size() % static_cast<std::size_t>(column.width) != 0)
        __builtin_trap();
  } catch (const InputError&) {
  }
  is_sweep(file.path);
  try {
    const CellFile cell(file.path);
    const CellSummary summary(cell);
    if (summary.mean.size() != summary.run.size()) __builtin_trap();
  } catch (const IoError&) {
  }
  return 0;
}
