// How files of comma-separated values are walked through, by libcsv.
#pragma once

#include <csv.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sde/core/error.hpp"

namespace sde::experiment {

/// The first characters of what stands in a file, for a message: a terminal is not to obey it.
inline std::string shown(std::string_view text) {
  std::string printable(text.substr(0, 40));
  for (char& c : printable)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return printable;
}

/// rows.take(text) for every entry and rows.end_line() after every row of what read(buffer, size) gives, 0 bytes at its
/// end; rows.after(bytes) after every piece. Throws InputError with rows.problem, which rows.fail(what) sets:
/// exceptions must not pass through a C library.
template <class Rows, class Read>
void walk_csv(Read read, Rows& rows) {
  csv_parser parser;
  if (csv_init(&parser, CSV_APPEND_NULL | CSV_STRICT | CSV_STRICT_FINI) != 0) throw InputError("CSV: no memory");
  const std::unique_ptr<csv_parser, void (*)(csv_parser*)> freed(&parser, csv_free);
  const auto field = [](void* text, std::size_t size, void* to) {
    static_cast<Rows*>(to)->take({static_cast<const char*>(text), size});
  };
  const auto line_end = [](int, void* to) { static_cast<Rows*>(to)->end_line(); };
  const auto check = [&](bool good) {
    const int error = good ? CSV_SUCCESS : csv_error(&parser);
    if (!good)
      rows.fail(error == CSV_EPARSE ? "a quote that is not closed, or is not followed by a comma"
                                    : csv_strerror(error));
    if (!rows.problem.empty()) throw InputError(rows.problem);
  };
  std::vector<char> buffer(1 << 16);
  while (const std::size_t got = read(buffer.data(), buffer.size())) {
    check(csv_parse(&parser, buffer.data(), got, field, line_end, &rows) == got);
    rows.after(got);
    check(true);
  }
  check(csv_fini(&parser, field, line_end, &rows) == 0);
}

}  // namespace sde::experiment
