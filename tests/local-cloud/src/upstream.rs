//! The way from the front to MiniStack.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// Headers that belong to one connection and are never forwarded.
const HOP_BY_HOP: [header::HeaderName; 3] = [header::CONNECTION, header::TRANSFER_ENCODING, header::EXPECT];

/// Connections that are kept open.
pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

/// Why a request had no answer.
pub(crate) type UpstreamError = Box<dyn std::error::Error + Send + Sync>;

/// Sends requests to MiniStack unchanged, so that their signatures still hold.
#[derive(Clone)]
pub(crate) struct Upstream {
    address: SocketAddr,
    http: Http,
    sent: Arc<AtomicU64>,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            // Well below the time after which MiniStack closes an idle connection.
            .pool_idle_timeout(std::time::Duration::from_secs(20))
            .http1_preserve_header_case(true)
            .set_host(false)
            .build_http();
        Self { address, http, sent: Arc::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections, which live in the runtime in which they were opened.
    pub(crate) fn http(&self) -> Http {
        self.http.clone()
    }

    /// How many requests were sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) async fn send(
        &self,
        method: &Method,
        target: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let path = target.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let uri: Uri = format!("http://{}{path}", self.address).parse()?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers.clone();
        without_hop_by_hop(request.headers_mut());
        let (mut parts, body) = self.http.request(request).await?.into_parts();
        without_hop_by_hop(&mut parts.headers);
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }

    pub(crate) async fn is_healthy(&self) -> bool {
        let health = Uri::from_static("/_ministack/health");
        let host = [(header::HOST, HeaderValue::from_static("localhost"))];
        let answer = self.send(&Method::GET, &health, &HeaderMap::from_iter(host), Bytes::new()).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

fn without_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
