// Bytes of a file of data, from its beginning on, whether it is compressed or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace sde::experiment {

/// Throws InputError, which names the file and the byte (of what is inside, where it is compressed).
class ByteStream {
 public:
  explicit ByteStream(std::string name) : name_(std::move(name)) {}
  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Up to `size` bytes; fewer at the end alone.
  std::size_t read(void* to, std::size_t size);
  /// Exactly `size` bytes, which are called `what` where they are not there.
  void take(void* to, std::size_t size, const std::string& what);
  /// Throws where there are more bytes; `what` says what was complete.
  void must_end(const std::string& what);

  std::uint64_t position() const { return position_; }
  const std::string& name() const { return name_; }
  [[noreturn]] void fail(const std::string& complaint) const;
  [[noreturn]] void fail_at(std::uint64_t byte, const std::string& complaint) const;

 protected:
  virtual std::size_t read_some(void* to, std::size_t size) = 0;

 private:
  const std::string name_;
  std::uint64_t position_ = 0;
};

/// A file, gzip or plain, as its first bytes say; a name that ends in .gz has to be gzip. After `most` bytes it is
/// refused: a small file may hold terabytes of zeros.
std::unique_ptr<ByteStream> open_bytes(const std::filesystem::path& file, std::uint64_t most = std::uint64_t{1} << 32);

}  // namespace sde::experiment
