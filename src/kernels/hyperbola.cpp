#include "../experiment/losses.hpp"
#include "sde/model/make_model.hpp"

namespace sde {
std::shared_ptr<LossModel> model_of(loss::Hyperbola loss) { return make_model(std::move(loss)); }
}  // namespace sde
