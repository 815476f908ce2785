// What a kernel reads of a loss and of a noise, in device memory, and the sizes of tiles. `Device` as in tile.hpp.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "sde/core/pack.hpp"
#include "sde/discrete/adaptive_sgd.hpp"
#include "sde/discrete/linear_loop.hpp"
#include "sde/loss/noise.hpp"
#include "sde/slow/weight_table.hpp"

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

/// The table of a slow SDE's weights on the device: the last one is kept.
template <class Device>
class DeviceWeights {
 public:
  slow::WeightTable here(const Device& device, slow::WeightTable table) {
    if (!table) return table;
    if (table.coefficients != of_) {
      of_ = table.coefficients;
      copy_of(device, std::vector<double>(of_, of_ + table.size()), copy_);
    }
    table.coefficients = copy_.data();
    return table;
  }

 private:
  const double* of_ = nullptr;
  typename Device::template Memory<double> copy_;
};

/// An update rule on the device: that of matrices with its arrays there, copied once.
template <class Device>
class DeviceRules {
 public:
  template <class Rule>
  const Rule& here(const Device&, const Rule& rule, int) {
    return rule;
  }
  const discrete::AdaptiveSgd& here(const Device& device, const discrete::AdaptiveSgd& rule, int d) {
    if (of_ != rule.v0) copy_of(device, std::vector<double>(rule.v0, rule.v0 + d), weight_);
    of_ = rule.v0;
    adaptive_ = rule;
    adaptive_.v0 = weight_.data();
    return adaptive_;
  }
  const discrete::LinearRule& here(const Device& device, const discrete::LinearRule& rule, int) {
    if (of_ == rule.weight) return there_;
    of_ = rule.weight;
    const int kinds = 1 + *std::max_element(rule.kind, rule.kind + rule.steps), rows = kinds * rule.rows();
    const int entries = rule.start[rows];
    there_ = rule;
    there_.kind = copy_of(device, std::vector<int>(rule.kind, rule.kind + rule.steps), kind_);
    there_.start = copy_of(device, std::vector<int>(rule.start, rule.start + rows + 1), start_);
    there_.column = copy_of(device, std::vector<int>(rule.column, rule.column + entries), column_);
    there_.weight = copy_of(device, std::vector<double>(rule.weight, rule.weight + entries), weight_);
    there_.observed = copy_of(device, std::vector<double>(rule.observed, rule.observed + rule.slots), observed_);
    there_.consensus = copy_of(device, std::vector<double>(rule.consensus, rule.consensus + rule.slots), consensus_);
    return there_;
  }

 private:
  const double* of_ = nullptr;
  discrete::LinearRule there_;
  discrete::AdaptiveSgd adaptive_;
  typename Device::template Memory<int> kind_, start_, column_;
  typename Device::template Memory<double> weight_, observed_, consensus_;
};

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
