// libFuzzer's target for checkpoints. As they are, bytes are refused or are what seal() makes of what they say. Sealed
// with a sound checksum (as a program with a fault of its own might), they are a state or end too soon, and take no
// more memory than a multiple of their size.
#include <stdexcept>
#include <string>

#include "../../src/experiment/checkpoint.hpp"
#include "sde/core/error.hpp"
#include "sde/ensemble/bytes.hpp"

using namespace sde;
using namespace sde::experiment;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  std::string state = bytes;
  try {
    const auto sealed = unseal(bytes);
    if (seal(sealed) != bytes) __builtin_trap();
    state = sealed.state;
  } catch (const InputError&) {
  }
  const auto again = unseal(seal({"a program", hash_of("settings"), state}));
  if (again.state != state || again.program != "a program") __builtin_trap();
  try {
    const auto run = ensemble::unpacked<RunState>(state);
    ensemble::unpacked<RunState>(ensemble::packed(run));
  } catch (const std::runtime_error&) {  // cut short
  }
  return 0;
}
