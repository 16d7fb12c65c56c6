// libtorch's switch for TF32, which `tch` does not have.
#include <ATen/Context.h>

using at::Float32Backend;
using at::Float32Op;
using at::Float32Precision;

/// Allows cuDNN to compute convolutions of fp32 in TF32, or has it compute as IEEE 754 says.
extern "C" void acai_allow_tf32(bool is_allowed) {
    Float32Precision precision = is_allowed ? Float32Precision::TF32 : Float32Precision::IEEE;
    at::globalContext().setFloat32Precision(Float32Backend::CUDA, Float32Op::CONV, precision);
}

/// Whether cuDNN is allowed to.
extern "C" bool acai_allows_tf32() {
    return at::globalContext().allowTF32CuDNN(Float32Op::CONV);
}
