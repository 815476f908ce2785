// Problems whose "GPU" is the CPU in its place.
#pragma once

#include "../gpu/host_device.hpp"
#include "../gpu/tile.hpp"
#include "device_checks.hpp"
#include "sde/model/make_model.hpp"

namespace sde::test {

inline const auto host_device_of = [](const auto& l) {
  return std::make_shared<const gpu::DeviceModelOf<gpu::HostDevice, std::remove_cvref_t<decltype(l)>>>(l);
};

/// The algorithms start at `start`, slow SDEs at its Phi.
template <class L>
ensemble::Problem on_host_device(const L& l, const Noise& noise, const std::vector<double>& start) {
  ensemble::Problem p;
  auto model = model_of(l);
  model->device = [l] { return host_device_of(l); };
  p.model = model;
  p.noise = noise;
  p.start = Eigen::Map<const slow::Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  p.project_start();
  return p;
}

}  // namespace sde::test
