// Modules beside the program: shared objects that show one symbol, a function which gives a table.
#pragma once

#include <string>

namespace sde {

/// Whether lib/sde/NAME.so was built or installed.
bool has_module(const std::string& name);
/// The function `symbol` of the module lib/sde/NAME.so. Throws IoError where it is not where it was built or installed.
void* module_symbol(const std::string& name, const char* symbol);
/// Throws IoError.
[[noreturn]] void refuse_module(const std::string& name, const char* version);

/// The table of a module, which begins with the version of the project and its own size: one of another build is
/// refused with IoError.
template <class Table>
const Table& module_table(const std::string& name, const char* symbol, const std::string& version) {
  const Table* table = reinterpret_cast<const Table* (*)()>(module_symbol(name, symbol))();
  if (table->version != version || table->size != sizeof(Table)) refuse_module(name, table->version);
  return *table;
}

}  // namespace sde
