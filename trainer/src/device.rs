//! Where tensors live.

use std::env;
use std::ffi::CStr;

use tch::{Cuda, Device, Tensor};

/// Why there is no such device.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Neither `cpu` nor `cuda:N`.
    #[error("device is `{0}`; give `cpu` or `cuda:N`, where N counts from 0")]
    Unknown(String),
    /// libtorch's CUDA part could not be loaded.
    #[error("no CUDA for device `{device}`: {reason}; use `cpu`, or a libtorch that has libtorch_cuda.so")]
    NoCuda {
        /// The device asked for.
        device: String,
        /// What the dynamic linker says.
        reason: String,
    },
    /// CUDA works but has no such device.
    #[error("no device `{device}`: CUDA finds {count} on this machine")]
    Missing {
        /// The device asked for.
        device: String,
        /// How many there are.
        count: i64,
    },
}

/// The device called `name`, ready for use. To be called before the program has a second thread.
///
/// # Errors
/// When the name is no device's, or this machine or this libtorch lacks it.
pub fn open(name: &str) -> Result<Device, DeviceError> {
    let unknown = || DeviceError::Unknown(name.into());
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let index: usize = name.strip_prefix("cuda:").and_then(|n| n.parse().ok()).ok_or_else(unknown)?;
    number_as_nvidia_smi();
    load_library(c"libtorch_cuda.so")
        .map_err(|reason| DeviceError::NoCuda { device: name.into(), reason })?;
    match Cuda::device_count() {
        count if (index as i64) < count => Ok(Device::Cuda(index)),
        count => Err(DeviceError::Missing { device: name.into(), count }),
    }
}

/// The name that [`open`] knows a device by.
#[must_use]
pub fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

/// A tensor of this process's memory on `device`, without waiting for what the device still has to do.
///
/// CUDA takes the values over before it returns, since they do not lie in pinned memory; for that it may have to wait for
/// its earlier copies. The way back is not like that: there `to_device` must wait for everything.
pub fn send(tensor: &Tensor, device: Device) -> Tensor {
    tensor.to_device_(device, tensor.kind(), true, false)
}

/// Has CUDA number devices as `nvidia-smi` does, by which a worker knows them, unless somebody has set another order.
#[expect(unsafe_code, reason = "the environment is not safe to change when others read it")]
fn number_as_nvidia_smi() {
    const ORDER: &str = "CUDA_DEVICE_ORDER";
    if env::var_os(ORDER).is_none() {
        // SAFETY: nobody else reads the environment meanwhile: there is one thread, as `open` asks.
        unsafe { env::set_var(ORDER, "PCI_BUS_ID") };
    }
}

/// Loads a library into the process, for good, from where the dynamic linker finds it (beside libtorch,
/// through this program's run path).
///
/// The program is linked with libtorch's CPU part alone, so that one program serves machines with and without a
/// GPU; the CUDA part registers its kernels when it is loaded.
#[expect(unsafe_code, reason = "the dynamic linker has no safe interface")]
fn load_library(name: &CStr) -> Result<(), String> {
    // SAFETY: `name` ends in NUL. The library's initialisers run, as they do when libtorch links it. `dlerror`'s
    // text stays valid until this thread's next call to the linker.
    unsafe {
        if libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL).is_null() {
            return Err(CStr::from_ptr(libc::dlerror()).to_string_lossy().into_owned());
        }
    }
    Ok(())
}
