//! Where trainers come from.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitStatus;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::machine::devices::Slot;

/// Starts trainers.
pub trait Launcher: fmt::Debug + Send + Sync {
    /// What is started, for people.
    fn program(&self) -> &Path;

    /// Starts a trainer on a slot, with the folder of datasets if there is one.
    ///
    /// # Errors
    /// The system does not start it.
    fn launch(&self, slot: &Slot, data: Option<&Path>) -> io::Result<Launched>;
}

/// A trainer that was started.
pub struct Launched {
    /// Takes commands.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// Says events.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// Its standard error.
    pub errors: Box<dyn AsyncRead + Send + Unpin>,
    /// Its end.
    pub process: Box<dyn Process>,
}

/// The process of a trainer, with all that it starts. Dropping this kills it.
#[async_trait]
pub trait Process: fmt::Debug + Send + Sync {
    /// Its number in this system, until it was waited for; none where the system has none for it.
    fn id(&self) -> Option<u32>;

    /// Waits for its end, and says how it ended, each time again. Cancel safe.
    ///
    /// # Errors
    /// The system does not tell.
    async fn wait(&mut self) -> io::Result<ExitStatus>;

    /// Kills it and whatever it started. Repeating this is harmless.
    fn kill(&self);
}
