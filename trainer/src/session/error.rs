//! Why a run's training ended early.

use std::any::Any;
use std::env;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use acai_sweep::configuration::ConfigurationError;
use acai_sweep::trainer_protocol::FailureKind;

use crate::checkpoint::CheckpointError;
use crate::data::DataError;
use crate::network::ArchitectureError;

/// What ended a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A hyper-parameter is out of range.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Checkpoints at no distance from each other.
    #[error("checkpoint_kimg is `{0}`; it must be above 0")]
    CheckpointKimg(f64),
    /// The sweep file is meant for another trainer.
    #[error(
        "this trainer has no parameters of a sweep's own, and the sweep file declares {0}: start the worker with the \
         trainer that knows them (--trainer FILE)"
    )]
    OwnParameters(String),
    /// Sizes fit no network.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// The dataset cannot be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A checkpoint cannot be written or resumed from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A loss, a weight or a moment is no longer finite.
    #[error("diverged by step {step}: {what}; a smaller lr may help")]
    Diverged {
        /// Steps done.
        step: u64,
        /// The losses, or what else is not finite.
        what: String,
    },
    /// What keeps a whole group from training.
    #[error(transparent)]
    Group(Arc<SessionError>),
    /// libtorch got no more memory, of the machine or of its GPU.
    #[error("this machine has too little memory: {0}")]
    Memory(String),
    /// CUDA failed.
    #[error("this machine failed libtorch: {0}")]
    Device(String),
    /// libtorch refused an operation.
    #[error("libtorch failed: {0}")]
    Libtorch(String),
}

/// What libtorch says when memory runs out. Its errors have no other kinds than their texts.
const OF_MEMORY: [&str; 4] = ["allocate memory", "out of memory", "bad_alloc", "STATUS_ALLOC_FAILED"];
/// What libtorch says when CUDA fails.
const OF_CUDA: [&str; 3] = ["CUDA error", "CUDA driver", "cuDNN error"];

impl SessionError {
    /// Whose fault it is, as the protocol wants to know.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            SessionError::Diverged { .. } => FailureKind::Diverged,
            SessionError::Checkpoint(error) if error.is_of_the_file() => FailureKind::Checkpoint,
            SessionError::Checkpoint(_)
            | SessionError::Data(_)
            | SessionError::Memory(_)
            | SessionError::Device(_) => FailureKind::Machine,
            SessionError::Group(error) => error.kind(),
            SessionError::Configuration(_)
            | SessionError::CheckpointKimg(_)
            | SessionError::OwnParameters(_)
            | SessionError::Architecture(_)
            | SessionError::Libtorch(_) => FailureKind::Error,
        }
    }

    /// The error and its causes in one paragraph.
    #[must_use]
    pub fn paragraph(&self) -> String {
        let mut paragraph = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            paragraph.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        paragraph
    }
}

/// Runs `work` and turns a panic of `tch` into [`SessionError::Memory`], [`SessionError::Device`] or
/// [`SessionError::Libtorch`].
///
/// `tch` panics where libtorch throws; its fallible twins would bury the mathematics under question marks.
/// Whatever `work` was changing must be dropped after such an error. Who gets the error says it: the panic itself is
/// printed only with `RUST_BACKTRACE`, or if it is not libtorch's.
///
/// # Errors
/// Those of `work`, and what libtorch refuses.
pub fn catching<T>(work: impl FnOnce() -> Result<T, SessionError>) -> Result<T, SessionError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(leave_libtorchs_panics_to_their_catcher);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(refused(first_line(&*panic))))
}

/// Has the process print panics as before, but none with which `tch` passes on what libtorch threw.
fn leave_libtorchs_panics_to_their_catcher() {
    if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return;
    }
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let is_libtorchs = panic.payload_as_str().is_some_and(|text| text.contains("` value: Torch(\""));
        if !is_libtorchs {
            print(panic);
        }
    }));
}

/// What libtorch refused, in its words.
fn refused(what: String) -> SessionError {
    let says = |texts: &[&str]| texts.iter().any(|text| what.contains(text));
    if says(&OF_MEMORY) {
        SessionError::Memory(what)
    } else if says(&OF_CUDA) {
        SessionError::Device(what)
    } else {
        SessionError::Libtorch(what)
    }
}

/// What a panic says, without libtorch's stack trace.
fn first_line(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref().copied());
    let text = text.unwrap_or("no reason given").replace("\\n", "\n");
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use acai_sweep::trainer_protocol::FailureKind;
    use tch::{Device, Kind, Tensor};

    use super::{SessionError, catching, refused};

    #[test]
    fn memory_that_libtorch_cannot_get_is_an_error_in_one_line() {
        let more_than_there_is = 1 << 58;
        let result = catching(|| Ok(Tensor::zeros([more_than_there_is], (Kind::Float, Device::Cpu)).size()));
        let Err(SessionError::Memory(what)) = result else { panic!("{result:?}") };
        assert!(what.contains("can't allocate memory") && !what.contains('\n'), "{what}");
    }

    #[test]
    fn what_a_gpu_fails_of_is_the_machines_fault_and_a_wrong_operation_is_not() {
        for (of_a_gpu, is_of_memory) in [
            (
                "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.80 GiB",
                true,
            ),
            ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", true),
            ("CUDA error: unspecified launch failure", false),
            ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", false),
            ("CUDA driver error: device not ready", false),
        ] {
            let error = refused(of_a_gpu.to_owned());
            assert_eq!(error.kind(), FailureKind::Machine, "{of_a_gpu}");
            assert_eq!(matches!(error, SessionError::Memory(_)), is_of_memory, "{of_a_gpu}");
        }
        let result = catching(|| {
            let of = |size: i64| Tensor::zeros([size], (Kind::Float, Device::Cpu));
            Ok(of(2) + of(3))
        });
        let error = result.expect_err("the sizes do not fit");
        assert_eq!(error.kind(), FailureKind::Error, "{error}");
    }
}
