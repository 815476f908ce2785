// Values as bytes, for another process of the same program on the same kind of machine. A class names its fields in a
// member template serialize(archive, version), as Boost.Serialization wants it.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace sde::ensemble {

/// Numbers one after another in memory: strings, vectors of doubles, Eigen's vectors.
template <class T>
concept Numbers = requires(T& x) {
  x.size();
  requires std::is_arithmetic_v<std::remove_cvref_t<decltype(*x.data())>>;
};
template <class T>
concept Map = requires {
  typename T::mapped_type;
};

/// Appends values to a string of bytes.
class Packer {
 public:
  explicit Packer(std::string& bytes) : bytes_(bytes) {}
  template <class T>
  Packer& operator&(const T& x) {
    if constexpr (std::is_arithmetic_v<T>) {
      raw(&x, sizeof x);
    } else if constexpr (requires { const_cast<T&>(x).serialize(*this, 0u); }) {
      const_cast<T&>(x).serialize(*this, 0u);  // the same function reads and writes: it is not const
    } else {
      const auto n = static_cast<std::uint64_t>(x.size());
      raw(&n, sizeof n);
      if constexpr (Numbers<const T>)
        raw(x.data(), n * sizeof(*x.data()));
      else if constexpr (Map<T>)
        for (const auto& [key, value] : x) *this& key& value;
      else
        for (const auto& element : x) *this& element;
    }
    return *this;
  }

 private:
  void raw(const void* from, std::size_t n) { bytes_.append(static_cast<const char*>(from), n); }
  std::string& bytes_;
};

/// Takes them out again, in the same order. Throws std::runtime_error where the bytes end too soon.
class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}
  bool empty() const { return at_ == bytes_.size(); }
  template <class T>
  Unpacker& operator&(T& x) {
    if constexpr (std::is_arithmetic_v<T>) {
      raw(&x, sizeof x);
    } else if constexpr (requires { x.serialize(*this, 0u); }) {
      x.serialize(*this, 0u);
    } else {
      std::uint64_t n = 0;
      raw(&n, sizeof n);
      if (n > (bytes_.size() - at_) / least_bytes<T>()) cut_short();  // before there is room for them
      if constexpr (Map<T>) {
        x.clear();
        for (std::uint64_t i = 0; i < n; ++i) {
          std::pair<typename T::key_type, typename T::mapped_type> entry;
          *this& entry.first& entry.second;
          x.insert(std::move(entry));
        }
      } else {
        if constexpr (requires { x.resize(n); })
          x.resize(n);
        else if (n != x.size())
          cut_short();
        if constexpr (Numbers<T>)
          raw(x.data(), n * sizeof(*x.data()));
        else
          for (auto& element : x) *this& element;
      }
    }
    return *this;
  }

 private:
  [[noreturn]] static void cut_short() {
    throw std::runtime_error("a message between ranks is cut short: expected the same program on every node");
  }
  /// Of an element, as Packer writes it.
  template <class T>
  static constexpr std::size_t least_bytes() {
    if constexpr (Numbers<T>)
      return sizeof(*std::declval<T&>().data());
    else
      return 1;
  }
  void raw(void* to, std::size_t n) {
    if (n > bytes_.size() - at_) cut_short();
    if (n > 0) std::memcpy(to, bytes_.data() + at_, n);
    at_ += n;
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

/// x as bytes, for unpacked() in a process of the same build.
template <class T>
std::string packed(const T& x) {
  std::string bytes;
  Packer(bytes) & x;
  return bytes;
}
/// What packed() made bytes of.
template <class T>
T unpacked(const std::string& bytes) {
  T x;
  Unpacker(bytes) & x;
  return x;
}

}  // namespace sde::ensemble
