//! The SDK's HTTP client: every call goes to AWS in memory, on its way meets what goes wrong, and takes its time.

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use tokio::sync::Notify;

use crate::{
    aws::{self, Answer, Refusal},
    call::Call,
    cloud::Cloud,
    fault::Kind,
};

/// The way of one environment to AWS.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) cloud: Arc<Cloud>,
    /// Who calls, for the record.
    pub(crate) who: Arc<str>,
    /// Ends the environment.
    pub(crate) kill: Arc<Notify>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line of {}", self.who)
    }
}

impl HttpClient for Line {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let line = self.clone();
        let call = Call::read(&request);
        HttpConnectorFuture::new(async move { line.carry(call).await })
    }
}

impl Line {
    pub(crate) fn client(self) -> SharedHttpClient {
        SharedHttpClient::new(self)
    }

    async fn carry(&self, call: Call) -> Result<HttpResponse, ConnectorError> {
        let (there, back, struck) = self.cloud.with(|state| {
            let function = self.who.split('#').next().unwrap_or_default();
            let struck = state.strike(function, &call.service, &format!("{}:{}", call.service, call.operation));
            (state.draws.millis("latency", 2, 30), state.draws.millis("latency", 2, 30), struck)
        });
        tokio::time::sleep(there).await;
        let note = |what: &str| {
            self.cloud.with(|state| state.note(&self.who, format_args!("{}:{} {what}", call.service, call.operation)));
        };
        match struck {
            Some(Kind::Killed) => {
                note("killed before the call");
                return self.end().await;
            }
            Some(Kind::Unreached) => {
                note("not reached");
                return Err(reset());
            }
            Some(Kind::Slow) => {
                note("slow");
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
            Some(Kind::ServerError) => return Ok(self.refused(&call, &Refusal::server_fault())),
            Some(Kind::Throttled) => return Ok(self.refused(&call, &Refusal::throttled(&call.service))),
            _ => {}
        }
        if self.cloud.with(|state| state.is_left_unanswered(&call)) {
            note("not answered");
            return std::future::pending().await;
        }
        let answer = self.cloud.with(|state| {
            let answer = aws::serve(state, &call);
            state.note_call(&self.who, &call, &answer);
            answer
        });
        tokio::time::sleep(back).await;
        match struck {
            Some(Kind::KilledAfter) => {
                note("killed after the call");
                self.end().await
            }
            Some(Kind::AnswerLost) => {
                note("answer lost");
                Err(reset())
            }
            Some(Kind::ServerErrorAfter) => Ok(self.refused(&call, &Refusal::server_fault())),
            _ => Ok(match answer {
                Ok(answer) => response(answer),
                Err(refusal) => response(refusal.worded(call.protocol)),
            }),
        }
    }

    fn refused(&self, call: &Call, refusal: &Refusal) -> HttpResponse {
        self.cloud.with(|state| {
            state.note(&self.who, format_args!("{}:{} -> {} (fault)", call.service, call.operation, refusal.code));
        });
        response(refusal.worded(call.protocol))
    }

    /// The environment is ended here; nothing comes back.
    async fn end(&self) -> Result<HttpResponse, ConnectorError> {
        self.kill.notify_one();
        std::future::pending().await
    }
}

fn reset() -> ConnectorError {
    ConnectorError::io("connection reset by peer".into())
}

fn response(answer: Answer) -> HttpResponse {
    let status = StatusCode::try_from(answer.status).expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    response.headers_mut().insert("content-type", answer.content_type);
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    response
}
