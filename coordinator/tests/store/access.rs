//! Who may call what, and whom clients take for the coordinator: over real connections that are encrypted.

use std::sync::Arc;
use std::time::Duration;

use acai_access::{
    AccessFile, Authority, Connection, Identity, Pin, Scope, Token, connection, endpoint, root_cause,
};
use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::store::{Allowance, NewToken, Store};
use acai_coordinator::{Door, Guard, LeaseTerms, serve};
use acai_proto::v1::access_service_client::AccessServiceClient;
use acai_proto::v1::blob_service_client::BlobServiceClient;
use acai_proto::v1::{ListAuthoritiesRequest, RotateAuthorityRequest, UploadHeader, UploadRequest};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::{Tested, contract};

const SOON: Duration = Duration::from_millis(50);
/// Longer than a coordinator remembers what it knows of a token.
const PATIENCE: Duration = Duration::from_secs(10);

contract!(
    every_method_serves_the_tokens_that_it_is_for_and_no_others,
    a_revoked_token_is_refused_soon_by_another_coordinator_of_the_database_too,
    all_coordinators_of_a_database_have_one_authority,
    what_a_submitter_uploads_for_an_import_is_refused_beyond_the_allowance,
    while_the_authority_is_exchanged_files_of_before_are_good_until_all_coordinators_show_the_next_one,
);

/// A coordinator behind TLS and tokens.
struct Served {
    url: String,
    pin: Pin,
    server: JoinHandle<()>,
    _blobs: TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn served(store: &Arc<dyn Store>) -> Served {
    let authority = store.authority(Authority::new().unwrap()).await.unwrap();
    served_as(Guard::stored(Arc::clone(store)), store, authority.identity().unwrap()).await
}

async fn served_as(guard: Guard, store: &Arc<dyn Store>, identity: Identity) -> Served {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let blobs = Arc::new(Directory::open(folder.path()).unwrap());
    let (pin, url) = (identity.pin, format!("https://{}", listener.local_addr().unwrap()));
    let door = Door::new(guard, Some(identity));
    let (store, forever) = (Arc::clone(store), std::future::pending());
    let server = tokio::spawn(async move {
        serve(listener, store, blobs, LeaseTerms::default(), door, forever).await.unwrap();
    });
    Served { url, pin, server, _blobs: folder }
}

impl Served {
    fn access(&self, token: Option<&Token>) -> AccessFile {
        AccessFile { url: self.url.clone(), ca: vec![self.pin], token: token.cloned() }
    }
}

async fn added(store: &dyn Store, scope: Scope, valid_ms: Option<i64>) -> Token {
    let token = Token::new(scope);
    let (id, digest) = (token.id().to_owned(), token.digest());
    store
        .token_add(NewToken { id, name: format!("a test's {scope}"), scope, digest, valid_ms })
        .await
        .unwrap();
    token
}

/// The answer to an empty request.
async fn call(access: &AccessFile, path: &'static str) -> Result<(), Status> {
    call_on(connected(access).await?, Request::new(()), path).await
}

async fn connected(access: &AccessFile) -> Result<Connection, Status> {
    let channel = endpoint(access).unwrap().connect().await;
    let channel = channel.map_err(|error| Status::unavailable(root_cause(&error)))?;
    Ok(connection(channel, access.token.as_ref()))
}

async fn call_on(connection: Connection, request: Request<()>, path: &'static str) -> Result<(), Status> {
    let mut client = Grpc::new(connection);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let codec: ProstCodec<(), ()> = ProstCodec::default();
    client.unary(request, PathAndQuery::from_static(path), codec).await.map(drop)
}

/// The methods that a token of each scope may call; admins may call all.
fn allowed(scope: Scope, path: &str) -> bool {
    let (service, method) = path.strip_prefix("/acai.v1.").unwrap().split_once('/').unwrap();
    let reads = service == "SweepService" && method != "SubmitSweep"
        || ["ExplainRun", "Download", "GetDemand", "ListAuthorities"].contains(&method);
    match scope {
        Scope::Read => reads,
        Scope::Submit => {
            reads
                || service == "ControlService"
                || ["SubmitSweep", "ImportSweep", "Stat", "Upload"].contains(&method)
        }
        Scope::Worker => {
            ["WorkerService", "BlobService", "FleetService"].contains(&service) || method == "ListAuthorities"
        }
        Scope::Admin => true,
    }
}

/// What a client comes with, and what it meets with at a method.
#[derive(Clone)]
struct Credential {
    name: &'static str,
    access: AccessFile,
    /// Instead of a token.
    header: Option<&'static str>,
    meets: Meets,
}

#[derive(Clone, Copy)]
enum Meets {
    /// What this scope may call is served, everything else refused.
    Scope(Scope),
    /// A refusal of everything.
    Refusal(Code),
}

impl Credential {
    fn expected(&self, path: &str) -> Option<Code> {
        match self.meets {
            Meets::Scope(scope) => (!allowed(scope, path)).then_some(Code::PermissionDenied),
            Meets::Refusal(code) => Some(code),
        }
    }

    /// How the method refuses it, if that is for what it is.
    async fn refusal(&self, path: &'static str) -> Option<Code> {
        let answer = async {
            let mut request = Request::new(());
            if let Some(header) = self.header {
                request.metadata_mut().insert("authorization", header.parse().unwrap());
            }
            call_on(connected(&self.access).await?, request, path).await
        };
        let refused = [Code::Unauthenticated, Code::PermissionDenied, Code::Unavailable];
        answer.await.err().map(|status| status.code()).filter(|code| refused.contains(code))
    }
}

/// Twelve of them.
async fn credentials(served: &Served, store: &dyn Store) -> Vec<Credential> {
    let mut tokens = Vec::new();
    for scope in Scope::ALL {
        tokens.push((scope.name(), Some(added(store, scope, None).await), Meets::Scope(scope)));
    }
    let of =
        |scope: Scope| tokens.iter().find(|(name, ..)| *name == scope.name()).unwrap().1.clone().unwrap();
    let (reader, admin) = (of(Scope::Read), of(Scope::Admin));
    let raised = reader.reveal().replace("acai_read_", "acai_admin_").parse().unwrap();
    let other = Token::new(Scope::Admin);
    let guessed = other.reveal().replace(other.id(), admin.id()).parse().unwrap();
    let revoked = added(store, Scope::Admin, None).await;
    assert!(store.token_revoke(revoked.id()).await.unwrap());
    let expired = added(store, Scope::Admin, Some(0)).await;
    let refused = Meets::Refusal(Code::Unauthenticated);
    tokens.push(("a reader's that calls itself an admin's", Some(raised), Meets::Scope(Scope::Read)));
    tokens.push(("none", None, refused));
    tokens.push(("another cluster's", Some(other), refused));
    tokens.push(("a known id with a guessed secret", Some(guessed), refused));
    tokens.push(("expired", Some(expired), refused));
    tokens.push(("revoked", Some(revoked), refused));
    let mut all: Vec<Credential> = tokens
        .into_iter()
        .map(|(name, token, meets)| Credential {
            name,
            access: served.access(token.as_ref()),
            header: None,
            meets,
        })
        .collect();
    let garbage = Some("Bearer acai_admin_garbage");
    all.push(Credential { name: "garbage", access: served.access(None), header: garbage, meets: refused });
    // The client never sends its token to a coordinator that it does not know.
    let wrong = Authority::new().unwrap().identity().unwrap().pin;
    let access = AccessFile { ca: vec![wrong], ..served.access(Some(&admin)) };
    all.push(Credential {
        name: "wrong pin",
        access,
        header: None,
        meets: Meets::Refusal(Code::Unavailable),
    });
    all
}

async fn every_method_serves_the_tokens_that_it_is_for_and_no_others(store: &Tested) {
    let served = served(&store.store).await;
    let credentials = credentials(&served, &*store.store).await;
    assert_eq!(credentials.len(), 12);
    let mut calls = JoinSet::new();
    for credential in credentials {
        for path in acai_proto::METHODS {
            let credential = credential.clone();
            calls.spawn(async move { (credential.refusal(path).await, credential, path) });
        }
    }
    let mut wrong = Vec::new();
    for (refusal, credential, path) in calls.join_all().await {
        let expected = credential.expected(path);
        if refusal != expected {
            wrong.push(format!("{} {path}: {refusal:?} instead of {expected:?}", credential.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn a_revoked_token_is_refused_soon_by_another_coordinator_of_the_database_too(store: &Tested) {
    let path = "/acai.v1.SweepService/ListSweeps";
    let (served, token) = (served(&store.store).await, added(&*store.store, Scope::Read, None).await);
    let access = served.access(Some(&token));
    call(&access, path).await.unwrap();
    while store.token_find(token.id()).await.unwrap().unwrap().used_ms.is_none() {
        sleep(SOON).await;
    }
    // As another coordinator does that: this one is not told.
    assert!(store.token_revoke(token.id()).await.unwrap());
    assert!(!store.token_revoke("another").await.unwrap());
    let refused = async {
        loop {
            if let Err(refusal) = call(&access, path).await {
                return refusal;
            }
            sleep(SOON).await;
        }
    };
    let refusal = timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    assert!(refusal.message().contains("was revoked"), "{refusal}");
}

async fn all_coordinators_of_a_database_have_one_authority(store: &Tested) {
    let (first, second) = (served(&store.store).await, served(&store.store).await);
    assert_eq!(first.pin, second.pin);
}

async fn what_a_submitter_uploads_for_an_import_is_refused_beyond_the_allowance(store: &Tested) {
    let allowance = Allowance { bytes: Some(10), ..Allowance::UNLIMITED };
    let authority = store.authority(Authority::new().unwrap()).await.unwrap();
    let guard = Guard::limited(Arc::clone(&store.store), allowance);
    let served = served_as(guard, &store.store, authority.identity().unwrap()).await;
    let upload = async |scope, data: &[u8]| {
        let access = served.access(Some(&added(&*store.store, scope, None).await));
        let channel = endpoint(&access).unwrap().connect().await.unwrap();
        let mut client = BlobServiceClient::new(connection(channel, access.token.as_ref()));
        let sha256 = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
        let header = UploadHeader { sha256, size: data.len() as u64, ..UploadHeader::default() };
        let first = UploadRequest { header: Some(header), data: data.to_vec() };
        client.upload(tokio_stream::once(first)).await.map(drop)
    };
    upload(Scope::Submit, b"ten bytes.").await.unwrap();
    let refused = upload(Scope::Submit, b"eleven bytes").await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(refused.message().contains("--token-gigabytes"), "{refused}");
    upload(Scope::Admin, b"eleven bytes").await.unwrap();
}

/// What the coordinator answers to `acai access rotate-ca`.
async fn rotate(access: &AccessFile, finish: bool) -> Result<Vec<Pin>, Status> {
    let channel = endpoint(access).unwrap().connect().await.unwrap();
    let mut client = AccessServiceClient::new(connection(channel, access.token.as_ref()));
    let answer = client.rotate_authority(RotateAuthorityRequest { finish }).await?.into_inner();
    let listed = client.list_authorities(ListAuthoritiesRequest {}).await?.into_inner();
    assert_eq!(listed.pins, answer.pins);
    Ok(answer.pins.iter().map(|pin| pin.parse().unwrap()).collect())
}

async fn while_the_authority_is_exchanged_files_of_before_are_good_until_all_coordinators_show_the_next_one(
    store: &Tested,
) {
    let path = "/acai.v1.SweepService/ListSweeps";
    let coordinators = [served(&store.store).await, served(&store.store).await];
    let token = added(&*store.store, Scope::Admin, None).await;
    let of_before = coordinators.each_ref().map(|served| served.access(Some(&token)));
    assert_eq!(rotate(&of_before[0], true).await.unwrap_err().code(), Code::FailedPrecondition);
    let pins = rotate(&of_before[0], false).await.unwrap();
    assert!(pins.len() == 2 && pins[0] == coordinators[0].pin && pins[1] != pins[0], "{pins:?}");
    assert_eq!(rotate(&of_before[1], false).await.unwrap(), pins, "there is a next one already");
    let of_now = of_before.clone().map(|access| AccessFile { ca: pins.clone(), ..access });
    let of_later = of_before.clone().map(|access| AccessFile { ca: vec![pins[1]], ..access });
    for (before, now) in of_before.iter().zip(&of_now) {
        call(before, path).await.unwrap();
        call(now, path).await.unwrap();
    }

    assert_eq!(rotate(&of_now[0], true).await.unwrap(), pins[1..]);
    let refused = call(&of_before[0], path).await.unwrap_err();
    assert!(refused.message().contains("not the one in the access file"), "{refused}");
    let followed = async {
        while call(&of_before[1], path).await.is_ok() {
            sleep(SOON).await;
        }
    };
    timeout(PATIENCE, followed).await.unwrap();
    for (now, later) in of_now.iter().zip(&of_later) {
        call(now, path).await.unwrap();
        call(later, path).await.unwrap();
    }
    // And it is the one that coordinators start with.
    assert_eq!(served(&store.store).await.pin, pins[1]);
}

#[tokio::test]
async fn a_coordinator_with_a_given_certificate_has_no_authority_to_exchange() {
    let (store, elsewhere) = (Tested::sqlite().await, Authority::new().unwrap().identity().unwrap());
    let given = Identity::given(elsewhere.chain, elsewhere.key).unwrap();
    let served = served_as(Guard::stored(Arc::clone(&store.store)), &store.store, given).await;
    let access = served.access(Some(&added(&*store.store, Scope::Admin, None).await));
    let refused = rotate(&access, false).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("--tls-cert"), "{refused}");
}

#[tokio::test]
async fn a_server_with_another_authority_is_not_spoken_to_and_the_error_says_so() {
    let (store, other) = (Tested::sqlite().await, Tested::sqlite().await);
    let (served, impostor) = (served(&store.store).await, self::served(&other.store).await);
    let token = added(&*store.store, Scope::Read, None).await;
    let access = AccessFile { url: impostor.url.clone(), ..served.access(Some(&token)) };
    let refusal = call(&access, "/acai.v1.SweepService/ListSweeps").await.unwrap_err();
    let (found, known) = (impostor.pin.to_string(), served.pin.to_string());
    assert!(refusal.message().contains(&found) && !refusal.message().contains(&known), "{refusal}");
    assert!(refusal.message().contains("not the one in the access file"), "{refusal}");
    // While the authority is changed, two are known.
    let both = AccessFile { ca: vec![served.pin, impostor.pin], ..access };
    let refusal = call(&both, "/acai.v1.SweepService/ListSweeps").await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated, "it is spoken to, and knows no such token: {refusal}");
}

#[tokio::test]
async fn a_token_is_not_sent_where_others_could_read_it() {
    let token = Some(Token::new(Scope::Read));
    for (url, expected) in [
        ("http://login1:7700", "others on the network would see the token"),
        ("https://login1:7700", "nothing says by which certificate"),
        ("login1:7700", "is no coordinator's address"),
        ("ftp://login1", "is no coordinator's address"),
    ] {
        let access = AccessFile { url: url.to_owned(), ca: Vec::new(), token: token.clone() };
        let error = endpoint(&access).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for url in ["http://127.0.0.1:7700", "http://[::1]:7700", "http://localhost:7700"] {
        endpoint(&AccessFile { url: url.to_owned(), ca: Vec::new(), token: token.clone() }).unwrap();
    }
}
