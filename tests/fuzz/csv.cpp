// libFuzzer's target for data in CSV: read into columns of finite numbers of one length, or refused.
#include <cmath>
#include <cstdio>
#include <string>

#include "../../src/experiment/data_file.hpp"
#include "sde/core/error.hpp"
#include "written_input.hpp"

using namespace sde;
using namespace sde::experiment;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const fuzz::WrittenInput file("csv");
  file.write(data, size);
  try {
    auto table = read_data(file.path);
    group_numbered(table);
    for (const auto& column : table.columns) {
      if (column.width < 1 || column.values.size() != table.rows() * static_cast<std::size_t>(column.width))
        __builtin_trap();
      for (const double x : column.values)
        if (!std::isfinite(x)) __builtin_trap();
    }
  } catch (const InputError&) {
  }
  return 0;
}
