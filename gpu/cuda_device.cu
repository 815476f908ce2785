#include "cuda_device.cuh"

namespace sde::gpu {

CudaDevice::CudaDevice(int ordinal) : ordinal_(ordinal) {
  int count = 0;
  if (const auto status = cudaGetDeviceCount(&count); status != cudaSuccess)
    throw DeviceUnusable(std::string("CUDA finds no device: ") + cudaGetErrorString(status));
  if (ordinal < 0 || ordinal >= count)
    throw DeviceUnusable("there is no CUDA device " + std::to_string(ordinal) + ": expected 0 to " +
                         std::to_string(count - 1));
  try {
    use();
    int optin = 0;
    check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, ordinal), "reading its properties");
    check(cudaDeviceGetAttribute(&optin, cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal), "reading its properties");
    shared_limit_ = static_cast<std::size_t>(optin);
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "starting");
  } catch (const DeviceFailure& e) {
    throw DeviceUnusable(e.what());
  }
}

CudaDevice::~CudaDevice() {
  cudaSetDevice(ordinal_);
  if (scratch_) cudaFree(scratch_);
  if (stream_) cudaStreamDestroy(stream_);
}

void* CudaDevice::allocate(std::size_t bytes) const {
  use();
  void* at = nullptr;
  const auto status = cudaMalloc(&at, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it is not an error of what comes next
    throw std::bad_alloc();
  }
  check(status, "taking memory");
  return at;
}

void CudaDevice::release(void* at) const noexcept {
  cudaSetDevice(ordinal_);
  cudaFree(at);
}

void CudaDevice::copy_in(void* to, const void* from, std::size_t bytes) const {
  use();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "receiving data");
  check(cudaStreamSynchronize(stream_), "receiving data");  // the caller's array may go
}

void CudaDevice::copy_out(void* to, const void* from, std::size_t bytes) const {
  use();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "sending data");
  check(cudaStreamSynchronize(stream_), "working");
}

char* CudaDevice::scratch(std::size_t bytes) {
  if (bytes > scratch_bytes_) {
    if (scratch_) release(scratch_);
    scratch_ = nullptr;
    scratch_bytes_ = 0;
    try {
      scratch_ = allocate(bytes);
    } catch (const std::bad_alloc&) {
      throw DeviceUnusable("the problem is too large for the device's memory: " + std::to_string(bytes >> 20) +
                           " MiB for the arrays of the paths in work");
    }
    scratch_bytes_ = bytes;
  }
  return static_cast<char*>(scratch_);
}

}  // namespace sde::gpu
