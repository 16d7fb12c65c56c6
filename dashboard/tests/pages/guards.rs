//! Who may come in, and by what.

use acai_access::Scope;
use acai_coordinator::store::Place;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tonic::codegen::Service as _;
use tonic::transport::Endpoint;

use crate::{Answer, Coordinator, import_plane};

/// The call that cancels the whole sweep `plane`, as gRPC frames it.
const CANCEL: &str = "\0\0\0\0\x07\n\x05plane";
const CANCEL_RUNS: &str = "/acai.v1.ControlService/CancelRuns";

#[tokio::test]
async fn a_web_page_elsewhere_cannot_have_a_browser_call_what_is_for_grpc() {
    let coordinator = Coordinator::open().await;
    import_plane(&coordinator.use_cases()).await;
    let before = events(&coordinator).await;
    let host = coordinator.address.to_string();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/grpc", "application/grpc+proto"]
    {
        let headers =
            [("host", host.as_str()), ("content-type", content_type), ("origin", "http://evil.example")];
        let answer = coordinator.send("POST", CANCEL_RUNS, &headers, CANCEL).await;
        assert_eq!(answer.status, 415, "{content_type}: {answer:?}");
    }
    assert_eq!(by_http2(&coordinator, "text/plain").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(by_http2(&coordinator, "application/grpcx").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(events(&coordinator).await, before, "nothing was cancelled");
    assert_eq!(by_http2(&coordinator, "application/grpc").await, StatusCode::OK);
    assert!(events(&coordinator).await > before, "the same call as gRPC does it");
}

/// The call over HTTP/2, with a content type.
async fn by_http2(coordinator: &Coordinator, content_type: &str) -> StatusCode {
    let mut channel =
        Endpoint::from_shared(format!("http://{}", coordinator.address)).unwrap().connect_lazy();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let request = Request::post(CANCEL_RUNS)
        .header("content-type", content_type)
        .body(tonic::body::Body::new(Body::from(CANCEL)));
    channel.call(request.unwrap()).await.unwrap().status()
}

async fn events(coordinator: &Coordinator) -> usize {
    let place = Place { number: 0, at_ms: None };
    coordinator.store.event_list("plane", place, 1000).await.unwrap().len()
}

#[tokio::test]
async fn pages_are_shown_under_names_of_this_machine_alone() {
    let coordinator = Coordinator::open().await;
    let by = async |host: &str| coordinator.ask("/", &[("host", host)]).await;
    for own in [coordinator.address.to_string(), "localhost:7700".to_owned(), "public.example".to_owned()] {
        assert_eq!(by(&own).await.status, 200, "{own}");
    }
    let rebound = by("evil.example:7700").await;
    assert_eq!(rebound.status, 421);
    assert!(rebound.body.contains("--public-host evil.example"), "{rebound:?}");
    assert_eq!(coordinator.ask("/", &[]).await.status, 400, "a request without a name");
}

#[tokio::test]
async fn a_browser_is_let_in_by_an_invitation_once_and_may_then_read_and_nothing_else() {
    let coordinator = Coordinator::guarded().await;
    let host = coordinator.address.to_string();
    let locked = coordinator.get("/").await;
    assert_eq!(locked.status, 401);
    assert!(locked.body.contains("acai dashboard"), "{locked:?}");

    let link = acai_dashboard::invitation(&coordinator.guard.invite());
    let taken = coordinator.get(&link).await;
    assert_eq!((taken.status, taken.header("location")), (303, Some("./")));
    let cookie = taken.header("set-cookie").unwrap();
    for property in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(property), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let signed_in = async |path: &str| coordinator.ask(path, &[("host", &host), ("cookie", &cookie)]).await;
    assert_eq!(signed_in("/").await.status, 200);
    assert_eq!(coordinator.get(&link).await.status, 401, "a second browser");

    let (name, token) = cookie.split_once('=').unwrap();
    assert_eq!(name, format!("acai-{}", coordinator.address.port()));
    let records = coordinator.store.token_list().await.unwrap();
    assert_eq!(records.iter().map(|record| record.scope).collect::<Vec<_>>(), [Scope::Read]);
    assert!(token.contains(&records[0].id));

    // Behind what a revocation takes to be known.
    coordinator.use_cases().revoke_token(&records[0].id).await.unwrap();
    let mut left = 100;
    while signed_in("/").await.status == 200 {
        left -= 1;
        assert!(left > 0, "a revoked token stays good");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let revoked = signed_in("/").await;
    assert!(revoked.status == 401 && revoked.body.contains("was revoked"), "{revoked:?}");
}

#[tokio::test]
async fn a_token_is_typed_in_on_the_coordinators_own_page_alone() {
    let coordinator = Coordinator::guarded().await;
    let (host, token) = (coordinator.address.to_string(), coordinator.token(Scope::Read).await);
    let log_in = async |token: &str, from: &[(&str, &str)]| -> Answer {
        let mut headers =
            vec![("host", host.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        headers.extend(from);
        coordinator.send("POST", "/login", &headers, &format!("token={token}")).await
    };
    let (own, strange) = (format!("http://{host}"), "http://evil.example");
    for from in [
        &[("origin", strange)][..],
        &[("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-site")],
        &[],
    ] {
        assert_eq!(log_in(&token, from).await.status, 403, "{from:?}");
    }
    let own = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let (signed_in, wrong, worker) = (
        log_in(&token, &own).await,
        log_in("acai_read_", &own).await,
        log_in(&coordinator.token(Scope::Worker).await, &own).await,
    );
    assert_eq!((signed_in.status, wrong.status, worker.status), (303, 401, 401));
    assert!(worker.body.contains("`worker`"), "{worker:?}");
    assert!(!worker.body.contains("acai_worker_"), "a page never shows a token");
}

#[tokio::test]
async fn who_brings_a_token_in_a_header_needs_no_cookie_and_is_not_asked_for_the_name() {
    let coordinator = Coordinator::guarded().await;
    let bearer = |token: &str| format!("Bearer {token}");
    let (read, worker) = (coordinator.token(Scope::Read).await, coordinator.token(Scope::Worker).await);
    let by = async |token: &str| {
        coordinator.ask("/", &[("host", "login1"), ("authorization", &bearer(token))]).await
    };
    assert_eq!((by(&read).await.status, by(&worker).await.status, by("x").await.status), (200, 403, 401));
}

#[tokio::test]
async fn every_answer_forbids_scripts_of_others_frames_and_guessing_and_pages_are_only_read() {
    let coordinator = Coordinator::open().await;
    let script = coordinator.get("/").await.page();
    let script = script.split("src=\"assets/app").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for path in [
        "/",
        "/sweeps/none",
        "/no/where",
        "/workers",
        &format!("/assets/app{script}"),
        "/favicon.svg?done=1&of=2",
    ] {
        let answer = coordinator.get(path).await;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        for style in answer.body.split("<style>").skip(1).filter_map(|rest| rest.split("</style>").next()) {
            let digest = STANDARD.encode(Sha256::digest(style));
            assert!(
                policy.contains(&format!("'sha256-{digest}'")),
                "{path} has a style that the policy forbids"
            );
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(!answer.body.contains(" style=\""), "{path} has a style that the policy forbids");
    }
    let host = coordinator.address.to_string();
    for method in ["POST", "PUT", "DELETE"] {
        let answer = coordinator.send(method, "/sweeps/plane", &[("host", &host)], "x").await;
        assert_eq!(answer.status, 405, "{method}");
    }
}
