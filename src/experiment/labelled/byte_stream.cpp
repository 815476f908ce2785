#include "byte_stream.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "sde/core/error.hpp"

namespace sde::experiment {

void ByteStream::fail(const std::string& complaint) const { fail_at(position_, complaint); }
void ByteStream::fail_at(std::uint64_t byte, const std::string& complaint) const {
  throw InputError(fmt::format("{}: byte {}: {}", name_, byte, complaint));
}

std::size_t ByteStream::read(void* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const std::size_t more = read_some(static_cast<char*>(to) + got, size - got);
    if (more == 0) break;
    got += more;
    position_ += more;
  }
  return got;
}

void ByteStream::take(void* to, std::size_t size, const std::string& what) {
  const auto first = position_;
  if (const auto got = read(to, size); got < size)
    fail_at(first + got, fmt::format("the file ends within {}: expected {} more bytes", what, size - got));
}

void ByteStream::must_end(const std::string& what) {
  char more = 0;
  const auto end = position_;
  if (read(&more, 1) > 0) fail_at(end, fmt::format("expected the end of the file after {}, got more bytes", what));
}

namespace {

class GzipFile final : public ByteStream {
 public:
  GzipFile(const std::filesystem::path& file, std::uint64_t most)
      : ByteStream(file.string()), most_(most), file_(gzopen(file.c_str(), "rb"), gzclose) {
    if (std::filesystem::is_directory(file)) throw InputError(fmt::format("{}: is a folder; expected a file", name()));
    if (!file_) throw InputError(fmt::format("{}: cannot be read", name()));
    gzbuffer(file_.get(), 1 << 16);
    if (file.extension() == ".gz" && gzdirect(file_.get()))
      throw InputError(
          fmt::format("{}: byte 0: expected gzip, as the name ends in .gz: got other bytes (was it "
                      "unpacked already? then take .gz off its name)",
                      name()));
  }

 protected:
  std::size_t read_some(void* to, std::size_t size) override {
    constexpr std::size_t kMostAtOnce = 1 << 20;
    const int got = gzread(file_.get(), to, static_cast<unsigned>(std::min(size, kMostAtOnce)));
    int error = Z_OK;
    std::string_view text = gzerror(file_.get(), &error);
    if (text.starts_with(name() + ": ")) text.remove_prefix(name().size() + 2);
    if (got < 0 || error == Z_BUF_ERROR)
      fail(error == Z_BUF_ERROR ? "the compressed file ends too soon: expected all of it, fetch it again"
                                : fmt::format("not valid gzip ({}): fetch it again", text));
    if (position() + static_cast<std::uint64_t>(got) > most_)
      fail(fmt::format("more than {} bytes: expected a smaller file", most_));
    return static_cast<std::size_t>(got);
  }

 private:
  const std::uint64_t most_;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

}  // namespace

std::unique_ptr<ByteStream> open_bytes(const std::filesystem::path& file, std::uint64_t most) {
  return std::make_unique<GzipFile>(file, most);
}

}  // namespace sde::experiment
