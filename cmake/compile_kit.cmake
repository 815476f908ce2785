# What formulas are compiled with while the program runs: as the kernels of a program that links sde::native, with the
# arithmetic of the library (target sde).
function(quoted out)
  list(TRANSFORM ARGN REPLACE "(.+)" "\"\\1\"")
  list(JOIN ARGN ", " joined)
  set(${out} "${joined}" PARENT_SCOPE)
endfunction()
set(sanitizers "")
set(kit_optimization -O3)
if(SDE_SANITIZE)
  set(sanitizers -fsanitize=${SDE_SANITIZE})
  set(kit_optimization -O1)  # a formula takes minutes otherwise
endif()
quoted(kit_flags ${sanitizers} -std=c++20 ${kit_optimization} -DNDEBUG -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -ffp-contract=off
  -fno-math-errno -w -DEIGEN_MAX_ALIGN_BYTES=64 -DEIGEN_DONT_VECTORIZE)
set(kit_narrow_stores "")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  quoted(kit_narrow_stores -mmove-max=256 -mstore-max=256)
endif()
set(kit_cuda_compiler "")
if(sde_cuda_found)
  set(kit_cuda_compiler "${CMAKE_CUDA_COMPILER}")
endif()
quoted(kit_cuda_flags -std=c++20 -O3 -DNDEBUG --expt-relaxed-constexpr -fmad=false -prec-div=true -prec-sqrt=true -ftz=false
  -w -cudart=static -Xcompiler=-fPIC,-ffp-contract=off,-fvisibility=hidden -DEIGEN_MAX_ALIGN_BYTES=64 -DEIGEN_DONT_VECTORIZE)
get_target_property(eigen_includes Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
quoted(kit_other_includes ${eigen_includes})
configure_file(cmake/compile_kit.hpp.in ${PROJECT_BINARY_DIR}/generated/compile_kit.hpp @ONLY)
