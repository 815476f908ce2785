# The CUDA module, wherever there is a CUDA compiler. SDE_CUDA: AUTO (if found), ON (fail without), OFF.
set(SDE_CUDA "AUTO" CACHE STRING "Build the GPU backend: AUTO, ON or OFF")
set(SDE_CUDA_ARCHITECTURES "80-real;90-real;90-virtual" CACHE STRING
  "GPU architectures: code for A100 and H100, and PTX that newer ones translate")
set(sde_cuda_found FALSE)
if(NOT SDE_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  if(NOT CMAKE_CUDA_COMPILER)
    find_program(CMAKE_CUDA_COMPILER nvcc PATHS /usr/local/cuda/bin)
    if(NOT CMAKE_CUDA_COMPILER)
      unset(CMAKE_CUDA_COMPILER CACHE)
    endif()
  endif()
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_ARCHITECTURES ${SDE_CUDA_ARCHITECTURES})
    enable_language(CUDA)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has it
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    endif()
    set(sde_cuda_found TRUE)
  elseif(SDE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "SDE_CUDA=ON, but there is no CUDA compiler: install the CUDA toolkit, or set CMAKE_CUDA_COMPILER")
  endif()
endif()
if(NOT sde_cuda_found)
  message(STATUS "no CUDA compiler: the program is built without its GPU backend")
endif()

# What every translation unit for the GPU needs: the arithmetic of the CPU (no fused multiply-adds, IEEE division and
# square root), constexpr functions of the standard library on the device.
# For programs with losses of their own, too: sde::cuda.
add_library(sde_cuda_options INTERFACE)
target_include_directories(sde_cuda_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/gpu> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/sde/gpu>)
target_compile_options(sde_cuda_options INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -fmad=false -prec-div=true -prec-sqrt=true -ftz=false
  "SHELL:-Xcompiler -ffp-contract=off" $<INSTALL_INTERFACE:-std=c++20>>)

if(sde_cuda_found)
  set(cuda_warnings "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings -Xcompiler -Wall,-Wextra>")
  add_library(sde_cuda STATIC gpu/cuda_device.cu)
  add_library(sde::cuda ALIAS sde_cuda)
  set_target_properties(sde_cuda PROPERTIES EXPORT_NAME cuda CUDA_RUNTIME_LIBRARY Static POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(sde_cuda PUBLIC sde_cuda_options)
  target_compile_options(sde_cuda PRIVATE ${cuda_warnings})
  install(TARGETS sde_cuda sde_cuda_options EXPORT sdeCudaTargets)
  install(EXPORT sdeCudaTargets NAMESPACE sde:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sde)
  install(DIRECTORY gpu/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sde/gpu
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh" PATTERN "floors.hpp" EXCLUDE)

  add_library(sde_kernels_cuda MODULE gpu/table.cu gpu/floors.cu ${loss_device_kernels})
  # Of the library it takes what an algorithm is; its options for C++ are not nvcc's.
  target_link_libraries(sde_kernels_cuda PRIVATE sde_cuda $<LINK_ONLY:sde>)
  target_compile_options(sde_kernels_cuda PRIVATE ${cuda_warnings})
  target_link_options(sde_kernels_cuda PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/gpu/module.map)
  if(NOT SDE_SANITIZE)  # sanitizers bring symbols of theirs
    # Nothing else gives it symbols: one that is missing is an error here, not on a user's machine.
    target_link_options(sde_kernels_cuda PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(sde_kernels_cuda PROPERTIES PREFIX "" OUTPUT_NAME kernels-cuda SUFFIX .so
    CUDA_RUNTIME_LIBRARY Static POSITION_INDEPENDENT_CODE ON
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/sde
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/gpu/module.map)
  install(TARGETS sde_kernels_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sde)
endif()
