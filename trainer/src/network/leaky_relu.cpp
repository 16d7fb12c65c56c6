// The one operation of libtorch that `tch` has without the argument that matters here: its slope.
#include <ATen/core/Tensor.h>
#include <ATen/ops/leaky_relu.h>

#include <cstdio>
#include <exception>

/// Replaces `x` by max(x, slope * x). Answers 0, or 1 with the reason in `error`, which has `size` bytes.
extern "C" int acai_leaky_relu(at::Tensor *x, double slope, char *error, size_t size) {
    try {
        at::leaky_relu_(*x, slope);
        return 0;
    } catch (const std::exception &exception) {
        std::snprintf(error, size, "%s", exception.what());
        return 1;
    }
}
