//! AWS Lambda: an environment for each event that is at work, cold starts, timeouts, retries and queues that feed.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::{
    rt::sleep::{SharedAsyncSleep, TokioSleep},
    time::SharedTimeSource,
};
use jiff::SignedDuration;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use steward::invocation;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    aws::sqs,
    cloud::{Cloud, SECRET, key_of},
    invoked,
    script::Script,
    template::{Function, Mapping, Unwaited, stack},
    time::{self, SdkTime, Skewed},
    wire::Line,
};

/// What an invocation came to.
pub(crate) type Answered = Result<Value, Value>;

type Work = Pin<Box<dyn Future<Output = Answered>>>;
type Handler = Box<dyn Fn(LambdaEvent<Value>) -> Work>;

thread_local! {
    static ENVIRONMENT: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// What the function that is being made finds in its environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    ENVIRONMENT.with_borrow(|variables| variables.get(name).filter(|value| !value.is_empty()).cloned())
}

/// How long an environment is kept that has nothing to do.
const KEPT: Duration = Duration::from_mins(10);

struct Environment {
    name: String,
    handler: Handler,
    kill: Arc<Notify>,
    skew: SignedDuration,
    idle_since: Instant,
}

/// The functions at work.
pub(crate) struct Lambda {
    cloud: Arc<Cloud>,
    idle: RefCell<BTreeMap<String, Vec<Environment>>>,
    running: Cell<usize>,
    /// How many environments the account may have at work at once.
    limit: usize,
    daily_cap: u64,
    deadline: u64,
    /// Minutes that accounts cool off; None where nobody closes any.
    cooling_off: Option<u64>,
    made: Cell<u64>,
}

impl Lambda {
    /// The functions as a script has them.
    pub(crate) fn new(cloud: Arc<Cloud>, script: &Script) -> Rc<Self> {
        Rc::new(Self {
            cloud,
            idle: RefCell::default(),
            running: Cell::new(0),
            limit: script.concurrency,
            daily_cap: script.daily_cap,
            deadline: script.deadline,
            cooling_off: script.cooling_off,
            made: Cell::new(0),
        })
    }

    /// How many environments were made.
    pub(crate) fn made(&self) -> u64 {
        self.made.get()
    }

    /// Ends every environment, as an update of the stack does.
    pub(crate) fn renew(&self) {
        self.idle.borrow_mut().clear();
    }

    /// Invokes a function, by its logical id, and waits for its answer. None when too many are at work.
    pub(crate) async fn invoke(&self, id: &str, payload: Value) -> Option<Answered> {
        if self.running.get() >= self.limit {
            return None;
        }
        self.running.set(self.running.get() + 1);
        let answered = self.run(id, payload).await;
        self.running.set(self.running.get() - 1);
        Some(answered)
    }

    /// Runs a function, called by its logical id or by that of an alias.
    async fn run(&self, id: &str, payload: Value) -> Answered {
        let (id, alias) = match stack().aliases.get(id) {
            Some((function, alias)) => (function.as_str(), Some(alias)),
            None => (id, None),
        };
        let function = &stack().functions[id];
        let mut environment = match self.take(id) {
            Some(environment) => environment,
            None => self.make(function).await?,
        };
        let deadline = time::now() + SignedDuration::try_from(Duration::from_secs(function.timeout)).expect("minutes");
        let mut context = Context::default();
        context.request_id = self.cloud.with(|state| state.draws.id("invocation", "0123456789abcdef", 32));
        context.deadline = u64::try_from((deadline + environment.skew).as_millisecond()).unwrap_or_default();
        context.invoked_function_arn = match alias {
            Some(alias) => format!("{}:{alias}", function.arn),
            None => function.arn.clone(),
        };
        let shown = invoked::without_code(&payload).to_string();
        self.note(&environment, format_args!("begins: {shown:.300}"));
        self.cloud.with(|state| invoked::begins(state, &environment.name, id, &payload));
        let work = (environment.handler)(LambdaEvent::new(payload, context));
        let work = Skewed { work: Box::pin(work), skew: environment.skew };
        let ends_after = self.cloud.with(|state| state.strike_environment(&function.name));
        let end = async {
            match ends_after {
                Some(after) => sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            biased;
            answered = work => answered,
            () = environment.kill.notified() => Err(failed("Runtime.ExitError", "the environment was ended")),
            () = end => Err(failed("Runtime.ExitError", "the environment was ended")),
            () = sleep(Duration::from_secs(function.timeout)) => Err(failed("Sandbox.Timedout", "timed out")),
        };
        match &answered {
            Ok(answer) => self.note(&environment, format_args!("answers {answer}")),
            Err(error) => self.note(&environment, format_args!("fails: {error}")),
        }
        let is_gone = answered.as_ref().is_err_and(|error| {
            error["errorType"].as_str().is_some_and(|kind| kind.starts_with("Runtime.") || kind.starts_with("Sandbox."))
        });
        if !is_gone {
            environment.idle_since = Instant::now();
            self.idle.borrow_mut().entry(id.to_owned()).or_default().push(environment);
        }
        answered
    }

    fn note(&self, environment: &Environment, what: std::fmt::Arguments<'_>) {
        self.cloud.with(|state| state.note(&environment.name, what));
    }

    /// A warm environment, if there is one.
    fn take(&self, id: &str) -> Option<Environment> {
        let mut idle = self.idle.borrow_mut();
        let found = idle.get_mut(id)?;
        found.retain(|environment| environment.idle_since.elapsed() < KEPT);
        found.pop()
    }

    async fn make(&self, function: &Function) -> Result<Environment, Value> {
        let number = self.made.get() + 1;
        self.made.set(number);
        let (start, skew) = self.cloud.with(|state| {
            let skew = i64::try_from(state.draws.below("clock skew", 4_001)).expect("small") - 2_000;
            (state.draws.millis("cold start", 50, 400), SignedDuration::from_millis(skew))
        });
        sleep(start).await;
        let name = format!("{}#{number}", function.name);
        let kill = Arc::new(Notify::new());
        let line = Line { cloud: Arc::clone(&self.cloud), who: name.as_str().into(), kill: Arc::clone(&kill) };
        let config = configuration(function, line);
        let mut variables = function.environment.clone();
        if let Some(cap) = variables.get_mut("MAX_ACCOUNTS_PER_DAY") {
            *cap = self.daily_cap.to_string();
        }
        if let Some(deadline) = variables.get_mut("DEADLINE_MINUTES") {
            *deadline = self.deadline.to_string();
        }
        match self.cooling_off {
            Some(minutes) => {
                let days = f64::from(u32::try_from(minutes).expect("a short time")) / 1_440.0;
                if let Some(set) = variables.get_mut("COOLING_OFF_DAYS") {
                    *set = days.to_string();
                }
            }
            // There is no such unit.
            None => drop(variables.remove("SUSPENDED_UNIT_ID")),
        }
        ENVIRONMENT.set(variables);
        let handler = handler(&function.name, &config).map_err(|error| failed("Runtime.Init", &error))?;
        Ok(Environment { name, handler, kill, skew, idle_since: Instant::now() })
    }

    /// Invokes a function for nobody: again a minute and two later, then its event goes to the undeliverable ones, as far as
    /// the function has it so (AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation").
    pub(crate) async fn invoke_for_nobody(self: Rc<Self>, id: String, payload: Value) {
        let Unwaited { retries, oldest, is_kept } = stack().functions[&id].unwaited;
        let oldest = Instant::now() + oldest;
        let mut failures = 0;
        let mut wait = Duration::from_secs(1);
        loop {
            let answered = self.invoke(&id, payload.clone()).await;
            let error = match answered {
                Some(Ok(_)) => return,
                Some(Err(error)) => {
                    failures += 1;
                    wait = Duration::from_mins(failures);
                    error
                }
                None => {
                    wait = (wait * 2).min(Duration::from_mins(5));
                    failed("TooManyRequestsException", "Rate Exceeded.")
                }
            };
            if failures > retries || Instant::now() + wait > oldest {
                if is_kept {
                    self.give_up(&id, &payload, &error, failures);
                }
                return;
            }
            sleep(wait).await;
        }
    }

    fn give_up(&self, id: &str, payload: &Value, error: &Value, tries: u64) {
        let arn = format!("{}:$LATEST", stack().functions[id].arn);
        let record = json!({"version": "1.0", "timestamp": time::now().to_string(),
            "requestContext": {"requestId": "1", "functionArn": arn, "condition": "RetriesExhausted",
                "approximateInvokeCount": tries},
            "requestPayload": payload, "responseContext": {"statusCode": 200}, "responsePayload": error});
        self.cloud.with(|state| {
            state.note(id, format_args!("given up: {record}"));
            let message = state.draws.id("message", "0123456789abcdef", 32);
            let queue = state.queues.get_mut("Undeliverable").expect("a queue of the stack");
            queue.send(message, record.to_string(), Duration::ZERO);
        });
    }

    /// Feeds a function from its queue for as long as the run lasts.
    pub(crate) async fn feed(self: Rc<Self>, mapping: &'static Mapping) {
        let at_work = Rc::new(Cell::new(0));
        let (arrived, freed) =
            (self.cloud.with(|state| Arc::clone(&state.queues[&mapping.queue].arrived)), Rc::new(Notify::new()));
        loop {
            while at_work.get() < mapping.at_once {
                let batch = self.cloud.with(|state| sqs::receive(state, &mapping.queue, mapping.batch, None));
                if batch.is_empty() {
                    break;
                }
                at_work.set(at_work.get() + 1);
                let (this, at_work, freed) = (Rc::clone(&self), Rc::clone(&at_work), Rc::clone(&freed));
                tokio::task::spawn_local(async move {
                    this.process_batch(mapping, batch).await;
                    at_work.set(at_work.get() - 1);
                    freed.notify_one();
                });
            }
            if at_work.get() == mapping.at_once {
                freed.notified().await;
                continue;
            }
            let next = self.cloud.with(|state| state.queues[&mapping.queue].next());
            let wait = next.map(|next| Duration::try_from(next.duration_since(time::now())).unwrap_or_default());
            let until = Instant::now() + wait.unwrap_or(Duration::from_hours(24)).max(Duration::from_millis(1));
            tokio::select! {
                biased;
                () = arrived.notified() => {}
                () = freed.notified() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    async fn process_batch(&self, mapping: &Mapping, batch: Vec<sqs::Message>) {
        let payload = sqs::batch(&mapping.queue, &batch);
        let began = Instant::now();
        let visibility = self.cloud.with(|state| state.queues[&mapping.queue].visibility);
        let answered = loop {
            match self.invoke(&mapping.function, payload.clone()).await {
                Some(answered) => break answered,
                // Lambda tries again while the messages are hidden.
                None if began.elapsed() < visibility / 2 => sleep(Duration::from_secs(1)).await,
                None => return,
            }
        };
        let Ok(answer) = answered else { return };
        let failed: Vec<&Value> = answer["batchItemFailures"].as_array().into_iter().flatten().collect();
        self.cloud.with(|state| {
            let queue = state.queues.get_mut(&mapping.queue).expect("a queue of the stack");
            for message in &batch {
                if !failed.iter().any(|failure| failure["itemIdentifier"] == message.id.as_str()) {
                    queue.delete(&message.receipt);
                }
            }
        });
    }
}

fn failed(kind: &str, message: &str) -> Value {
    json!({"errorType": kind, "errorMessage": message})
}

/// The configuration that `steward::runtime::start` makes, with a world of its own behind it.
fn configuration(function: &Function, line: Line) -> SdkConfig {
    // The SDK shares its retry quota between all clients of a service and region in a process. Environments do not
    // share a process: each has a region of its own name.
    static REGIONS: AtomicU64 = AtomicU64::new(1_000_000);
    let region = format!("us-east-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
    let credentials = Credentials::new(key_of(function), SECRET, Some(format!("{SECRET}token")), None, "simulation");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(line.client())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(SdkTime))
        .timeout_config(steward::runtime::start::timeouts())
        .retry_config(RetryConfig::standard())
        .build()
}

macro_rules! handler_of {
    ($function:ty, $config:expr) => {{
        let function = Rc::new(<$function>::new($config).map_err(|error| error.to_string())?);
        let handler: Handler = Box::new(move |event| {
            let function = Rc::clone(&function);
            Box::pin(async move {
                let context = event.context.clone();
                match invocation::of(&context, function.handle(event)).await {
                    Ok(answer) => serde_json::to_value(answer).map_err(|error| failed("Answer", &error.to_string())),
                    Err(failure) => {
                        let Diagnostic { error_type, error_message } = failure.into();
                        Err(failed(&error_type, &error_message))
                    }
                }
            })
        });
        Ok(handler)
    }};
}

fn handler(name: &str, config: &SdkConfig) -> Result<Handler, String> {
    match name {
        "account-closer" => handler_of!(account_closer::AccountCloser, config),
        "account-lister" => handler_of!(account_lister::AccountLister, config),
        "account-requester" => handler_of!(account_requester::AccountRequester, config),
        "account-updater" => handler_of!(account_updater::AccountUpdater, config),
        "activity-auditor" => handler_of!(activity_auditor::ActivityAuditor, config),
        "baseline-applier" => handler_of!(baseline_applier::BaselineApplier, config),
        "compliance-checker" => handler_of!(compliance_checker::ComplianceChecker, config),
        "compliance-reporter" => handler_of!(compliance_reporter::ComplianceReporter, config),
        "create-account-poller" => handler_of!(create_account_poller::CreateAccountPoller, config),
        "dead-letter-replayer" => handler_of!(dead_letter_replayer::DeadLetterReplayer, config),
        "jump-user-manager" => handler_of!(jump_user_manager::JumpUserManager, config),
        "notifier" => handler_of!(notifier::Notifier, config),
        "organization-preparer" => handler_of!(organization_preparer::OrganizationPreparer, config),
        "region-opt-auditor" => handler_of!(region_opt_auditor::RegionOptAuditor, config),
        "root-task-runner" => handler_of!(root_task_runner::RootTaskRunner, config),
        other => Err(format!("{other} is not simulated")),
    }
}
