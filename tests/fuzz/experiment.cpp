// libFuzzer's target for experiment files: a TOML text, then, each behind a line "%%", assignments of --set and, with
// "~" before them, of --sweep. Whatever they are, they are read or refused; what is read is read again from what the
// dataset would keep of it, to the same experiment.
#include <cstdlib>
#include <string>
#include <vector>

#include "../../src/experiment/experiment.hpp"
#include "../../src/experiment/sweep.hpp"
#include "sde/core/error.hpp"

using namespace sde;
using namespace sde::experiment;

namespace {

constexpr std::string_view kNext = "\n%%";

struct Input {
  FileText file;
  std::vector<std::string> set, sweep;
};

Input input_of(std::string text) {
  Input input;
  std::vector<std::string> parts;
  for (std::size_t at = text.find(kNext); at != std::string::npos; at = text.find(kNext)) {
    parts.push_back(text.substr(0, at));
    text.erase(0, at + kNext.size());
  }
  parts.push_back(text);
  input.file = {"fuzz.toml", parts.front()};
  for (std::size_t k = 1; k < parts.size(); ++k)
    if (parts[k].starts_with('~'))
      input.sweep.push_back(parts[k].substr(1));
    else
      input.set.push_back(parts[k]);
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  setenv("SDE_COMPILE", "never", 1);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto input = input_of({reinterpret_cast<const char*>(data), size});
  try {
    const auto e = load(input.file, input.set);
    const auto again = load(FileText{"fuzz.toml", e.source}, {});
    if (again.source != e.source || again.methods.size() != e.methods.size() || again.seed != e.seed) __builtin_trap();
  } catch (const InputError&) {
  }
  try {
    const auto sweep = read_sweep(input.file, input.set, input.sweep, false);
    if (!sweep.axes.empty()) load(FileText{"fuzz.toml", sweep.base}, sweep.overrides(sweep.cells() - 1));
  } catch (const InputError&) {
  }
  return 0;
}
