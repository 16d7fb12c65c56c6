//! Who may do what at a coordinator, and how both ends of a connection know each other.
//!
//! A client has an [`AccessFile`]: where the coordinator is, by which certificate authority it is known, and a [`Token`]
//! that proves what the client may do. [`endpoint`] connects as such a file says. A coordinator has an
//! [`Authority`] of its own, makes a fresh certificate with it at each start, and keeps of a token only its digest.
//!
//! Reading order: [`scope`], [`token`], [`pin`], [`authority`], [`shown`], [`file`](mod@file), [`connect`].

pub mod authority;
pub mod connect;
pub mod file;
pub mod pin;
pub mod scope;
pub mod shown;
pub mod token;
mod verifier;

pub use authority::{Authority, AuthorityError, Identity};
pub use connect::{
    ConnectError, Connection, Current, connection, connection_with, endpoint, endpoint_with, root_cause,
};
pub use file::{AccessFile, AccessFileError};
pub use pin::Pin;
pub use scope::Scope;
pub use shown::Shown;
pub use token::{Token, TokenDigest};
