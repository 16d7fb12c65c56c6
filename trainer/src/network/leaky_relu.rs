//! The leaky rectifier, in place.

use std::ffi::{CStr, c_char, c_int, c_void};

use tch::{TchError, Tensor};

/// Slope of the leaky rectifier left of zero.
pub(super) const LEAKY_SLOPE: f64 = 0.2;

/// What libtorch has to say of a failure, at most.
const ERROR_BYTES: usize = 4096;

#[expect(unsafe_code, reason = "`tch` offers the operation with a slope of 0.01 alone")]
unsafe extern "C" {
    /// Of `leaky_relu.cpp`.
    fn acai_leaky_relu(x: *mut c_void, slope: f64, error: *mut c_char, size: usize) -> c_int;
}

/// max(x, 0.2·x), in the memory of `x`: what a convolution has computed need not be kept as well, since neither its
/// gradient nor that of the rectifier asks for it.
///
/// # Panics
/// As operations of `tch` do, when libtorch throws.
pub(crate) fn leaky_relu(mut x: Tensor) -> Tensor {
    let mut error: [c_char; ERROR_BYTES] = [0; ERROR_BYTES];
    // SAFETY: the pointer is that of a `torch::Tensor` which nobody else uses meanwhile. The function keeps neither pointer
    // and lets no exception out; it writes a text with its NUL into `error`, of whose length it is told.
    #[expect(unsafe_code, reason = "a function of C++")]
    let text = unsafe {
        let failed = acai_leaky_relu(x.as_mut_ptr().cast(), LEAKY_SLOPE, error.as_mut_ptr(), ERROR_BYTES);
        (failed != 0).then(|| CStr::from_ptr(error.as_ptr()).to_string_lossy().into_owned())
    };
    #[expect(clippy::unwrap_used, reason = "as in every operation of `tch`")]
    text.map_or(Ok(()), |text| Err(TchError::Torch(text))).unwrap();
    x
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::leaky_relu;

    #[test]
    fn values_and_gradients_left_of_zero_are_scaled_by_a_fifth() {
        let x = Tensor::from_slice(&[-2.0, -0.0, 3.0]).set_requires_grad(true);
        let y = leaky_relu(&x * 1.0);
        assert_eq!(Vec::<f64>::try_from(&y).unwrap(), [-0.4, 0.0, 3.0]);
        let gradient = Tensor::run_backward(&[y.sum(None)], &[&x], false, false).remove(0);
        assert_eq!(Vec::<f64>::try_from(gradient).unwrap(), [0.2, 0.2, 1.0]);
    }

    #[test]
    #[should_panic(expected = "` value: Torch(\"")]
    fn what_libtorch_throws_is_a_panic_as_those_of_tch_are() {
        // A variable whose gradient is wanted must not be overwritten.
        let _ = leaky_relu(Tensor::zeros([1], (Kind::Float, Device::Cpu)).set_requires_grad(true));
    }
}
