//! botocore, the client that nobody here wrote, in a process of its own: it writes the requests of both sides and reads
//! their answers.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use base64::{Engine, engine::general_purpose::STANDARD};
use local_cloud::Tools;
use serde_json::{Value, json};

/// What botocore has read.
pub(super) struct Answered {
    /// Status, error code and members.
    pub(super) answer: Value,
    /// Where the answer is not what the model of its service says.
    pub(super) unlike: Vec<String>,
}

/// The process.
pub(super) struct Botocore {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Botocore {
    /// Starts it; `endpoint` is where the local cloud is.
    pub(super) fn start(endpoint: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/agreement/ask.py");
        let mut python = Command::new(Tools::locate().python());
        let python = python.arg("-B").arg(script).arg(endpoint).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = python.spawn().expect("the interpreter beside MiniStack runs; `make tools` installs it");
        let questions = process.stdin.take().expect("a pipe");
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, questions, answers }
    }

    /// Asks; `carry` brings a request to the simulated services.
    pub(super) fn ask(&mut self, question: &Value, mut carry: impl FnMut(HttpRequest) -> HttpResponse) -> Answered {
        self.write(question);
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line).expect("a line");
            let said: Value = serde_json::from_str(&line)
                .unwrap_or_else(|_| panic!("botocore fails at {question}; what it says of it stands above"));
            if said["request"].is_object() {
                let answer = written(&carry(read(&said["request"])));
                self.write(&answer);
                continue;
            }
            let unlike = said["unlike"].as_array().expect("a list");
            let unlike = unlike.iter().map(|wrong| wrong.as_str().unwrap_or_default().to_owned()).collect();
            return Answered { answer: said["answer"].clone(), unlike };
        }
    }

    fn write(&mut self, line: &Value) {
        writeln!(self.questions, "{line}").expect("botocore listens");
    }
}

impl Drop for Botocore {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(request: &Value) -> HttpRequest {
    let text = |name: &str| request[name].as_str().expect("a text").to_owned();
    let mut read = HttpRequest::new(SdkBody::from(STANDARD.decode(text("body")).expect("base64")));
    read.set_method(&text("method")).expect("a method");
    read.set_uri(text("url")).expect("a URI");
    for (name, value) in request["headers"].as_object().expect("headers") {
        read.headers_mut().insert(name.clone(), value.as_str().expect("a text").to_owned());
    }
    read
}

fn written(answer: &HttpResponse) -> Value {
    let headers: Value = answer.headers().iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let body = answer.body().bytes().expect("a body in memory");
    json!({"status": answer.status().as_u16(), "headers": headers, "body": STANDARD.encode(body)})
}
