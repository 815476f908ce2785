// What a kernel reads of a loss and of a noise, in device memory, and the sizes of tiles. `Device` as in tile.hpp.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "sde/core/pack.hpp"
#include "sde/loss/noise.hpp"

namespace sde::gpu {

/// For a loss's on_device(): copies arrays, which live as long as this does.
template <class Device>
class Upload {
 public:
  explicit Upload(const Device& device) : device_(&device) {}
  const double* operator()(const std::vector<double>& from) const {
    kept_->emplace_back(*device_, from.size());
    kept_->back().write(from.data(), from.size());
    return kept_->back().data();
  }

 private:
  using Kept = std::vector<typename Device::template Memory<double>>;
  const Device* device_;
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();  ///< shared by the copies that losses take
};

/// A loss with arrays is replaced by one that refers to their copies on the device.
template <class Device, class L>
auto on_device(const L& loss, const Upload<Device>& upload) {
  if constexpr (requires { loss.on_device(upload); })
    return loss.on_device(upload);
  else
    return loss;
}
template <class Device, class L>
using DeviceLossOf = decltype(on_device(std::declval<const L&>(), std::declval<const Upload<Device>&>()));

template <class T, class Device>
const T* copy_of(const Device& device, const std::vector<T>& from, typename Device::template Memory<T>& to) {
  to = typename Device::template Memory<T>(device, from.size());
  to.write(from.data(), from.size());
  return to.data();
}

/// A noise with its arrays on the device, in numbers of type S.
template <class Device, class S>
class DeviceNoise {
 public:
  DeviceNoise() = default;
  DeviceNoise(const Device& device, const Noise& noise) {
    const NoiseOf<S> own(noise);
    view_ = {own, copy_of(device, own.factor, factor_), copy_of(device, own.state, state_), own.diagonal()};
  }
  const NoiseView<S>& view() const { return view_; }

 private:
  typename Device::template Memory<S> factor_, state_;
  NoiseView<S> view_;
};

/// Calls reserve(paths), and where the device's memory is short with half as many, and so on. Returns the number that
/// it had room for. Throws std::bad_alloc where there is none for kLanes paths.
template <class Reserve>
long halve_until_it_fits(long paths, Reserve reserve) {
  for (;; paths = (paths / 2 + kLanes - 1) / kLanes * kLanes) {
    try {
      reserve(paths);
      return paths;
    } catch (const std::bad_alloc&) {
      if (paths <= kLanes) throw;
    }
  }
}

}  // namespace sde::gpu
