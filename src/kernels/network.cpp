// Of a perceptron: its kernels on the CPU.
#include "sde/network/make_network.hpp"

#include "../modules/kernel_table.hpp"

namespace sde {

std::shared_ptr<LossModel> network_model(network::Network network) { return make_network(std::move(network)); }

}  // namespace sde
