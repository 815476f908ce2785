// What a language's binding would do: asks for a built-in loss through the modules, from inside a shared library.
#include "../src/modules/models.hpp"
#include "sde/core/error.hpp"

/// tr Hess of the hyperbola at (2, 0.5), where it is 4.25; -1 where no module is found, with the message in `message`.
extern "C" [[gnu::visibility("default")]] double sharpness(char* message, int size) try {
  const auto model = sde::model_of(sde::loss::Hyperbola{});
  const double x[] = {2, 0.5};
  double H[4];
  model->hessian(x, H);
  return H[0] + H[3];
} catch (const std::exception& e) {
  std::snprintf(message, static_cast<std::size_t>(size), "%s", e.what());
  return -1;
}
