//! The HTTP server.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming as IncomingBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::request::Incoming;
use crate::core::Core;

/// The connection is to be reset instead of answered.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the answer is lost on purpose")]
    OnPurpose,
    #[error("the client went away")]
    ClientGone(#[from] hyper::Error),
}

/// Accepts connections until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, core: Arc<Core>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, core.clone()))),
            // Out of file handles, most likely: others will be closed soon.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, core: Arc<Core>) {
    // A failure to switch Nagle's algorithm off only costs time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Box::pin(answer(core.clone(), request)));
    let mut connection =
        http1::Builder::new().preserve_header_case(true).serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if ended.is_err() {
        // Closing with pending linger zero sends a reset instead of an orderly end.
        let _ = connection.into_parts().io.inner().set_zero_linger();
    }
}

async fn answer(core: Arc<Core>, request: Request<IncomingBody>) -> Result<Response<Full<Bytes>>, Unanswered> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let answer = super::handle(&core, Incoming::new(parts, body)).await.ok_or(Unanswered::OnPurpose)?;
    Ok(answer.map(Full::new))
}
