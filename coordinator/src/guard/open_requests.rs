//! How many requests the bearers of one token have open, followed sweeps and downloads included: nobody who only reads or
//! submits takes all that a coordinator has.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use acai_access::Scope;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::Response;

/// Open requests of one token of people. Workers and administrators have no such limit: hundreds of workers may share a token.
const MOST: u32 = 256;

/// The open requests of all tokens. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenRequests(Arc<Mutex<HashMap<String, u32>>>);

impl OpenRequests {
    /// Counts a request of this token in, until what is answered is dropped; none where the scope has no limit.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if there are too many.
    pub(super) fn enter(&self, id: &str, scope: Scope) -> Result<Option<Place>, Status> {
        if matches!(scope, Scope::Worker | Scope::Admin) {
            return Ok(None);
        }
        let mut open = self.open();
        let count = open.entry(id.to_owned()).or_default();
        if *count >= MOST {
            return Err(Status::resource_exhausted(format!(
                "the token {id} has {MOST} requests open already\nhint: end some of what follows sweeps or downloads with it"
            )));
        }
        *count += 1;
        Ok(Some(Place { all: self.clone(), id: id.to_owned() }))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is counted in.
#[derive(Debug)]
pub(crate) struct Place {
    all: OpenRequests,
    id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.all.open();
        if let Some(count) = open.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.id);
            }
        }
    }
}

impl Place {
    /// Keeps the place until the answer has been given, or nobody waits for it any more.
    pub(super) fn keep(self, answer: Response<Body>) -> Response<Body> {
        answer.map(|body| Body::new(Counted { body, _place: self }))
    }
}

/// An answer whose request is counted in.
struct Counted {
    body: Body,
    _place: Place,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_token_of_people_has_only_so_many_requests_open_and_another_ones_do_not_count() {
        let requests = OpenRequests::default();
        let mut held: Vec<_> = (0..MOST).map(|_| requests.enter("one", Scope::Read).unwrap()).collect();
        let refused = requests.enter("one", Scope::Read).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert!(requests.enter("another", Scope::Submit).unwrap().is_some());
        assert!(requests.enter("one", Scope::Worker).unwrap().is_none());
        held.pop();
        assert!(requests.enter("one", Scope::Read).unwrap().is_some());
        drop(held);
        assert!(requests.open().is_empty(), "tokens that have nothing open are forgotten");
    }
}
