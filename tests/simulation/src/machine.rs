//! AWS Step Functions: the state machine of the sweep, by its definition. Knows the states and fields that it uses.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::future::try_join_all;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    cloud::Cloud,
    lambda::Lambda,
    template::{file, items},
    time,
};

struct Execution {
    lambda: Rc<Lambda>,
    cloud: Arc<Cloud>,
    context: Value,
}

/// Runs the state machine once; the ARN of the execution, and its end.
pub(crate) async fn execute(cloud: &Arc<Cloud>, lambda: &Rc<Lambda>, name: &str) -> (String, Result<Value, Value>) {
    let definition: Value =
        serde_json::from_str(&file("statemachines/compliance-sweep.asl.json")).expect("a definition");
    let (input, now) = (json!({"trigger": "by_hand"}), time::now());
    let arn = cloud.with(|state| state.executions.begin(name, input.to_string(), now));
    let context = json!({"Execution": {"Id": arn, "Name": name, "StartTime": now.to_string()}});
    let execution = Execution { lambda: Rc::clone(lambda), cloud: Arc::clone(cloud), context };
    let limit = Duration::from_secs(definition["TimeoutSeconds"].as_u64().expect("a limit"));
    let work = execution.run(&definition, input, &Value::Null);
    let end = timeout(limit, work).await.unwrap_or_else(|_| Err(json!({"Error": "States.Timeout"})));
    cloud.with(|state| state.executions.end(&arn));
    (arn, end)
}

impl Execution {
    async fn run(&self, machine: &Value, input: Value, item: &Value) -> Result<Value, Value> {
        let mut name = machine["StartAt"].as_str().expect("a state");
        let mut data = input;
        loop {
            let state = &machine["States"][name];
            let done = match state["Type"].as_str().expect("a type") {
                "Task" => self.task(state, &data, item).await,
                "Pass" => Ok(match (state.get("Result"), state.get("Parameters")) {
                    (Some(result), _) => result.clone(),
                    (None, Some(parameters)) => self.filled(parameters, &data, item),
                    (None, None) => data.clone(),
                }),
                "Map" => Box::pin(self.map(state, &data)).await,
                "Parallel" => Box::pin(self.parallel(state, &data)).await,
                "Wait" => {
                    sleep(Duration::from_secs(state["Seconds"].as_u64().expect("a time"))).await;
                    Ok(data.clone())
                }
                "Choice" => {
                    let chosen = items(&state["Choices"]).find(|choice| holds(choice, &data));
                    let next = chosen.map_or(&state["Default"], |choice| &choice["Next"]);
                    name = next.as_str().expect("the next state");
                    continue;
                }
                other => panic!("states of type {other} are not simulated"),
            };
            let caught = state["Catch"].get(0);
            match (done, caught) {
                (Ok(result), _) => {
                    data = placed(state.get("ResultPath"), data, result);
                    if state["End"] == true {
                        return Ok(data);
                    }
                    name = state["Next"].as_str().expect("the next state");
                }
                (Err(error), Some(catch)) => {
                    data = placed(catch.get("ResultPath"), data, error);
                    name = catch["Next"].as_str().expect("the next state");
                }
                (Err(error), None) => return Err(error),
            }
        }
    }

    async fn task(&self, state: &Value, data: &Value, item: &Value) -> Result<Value, Value> {
        let parameters = self.filled(&state["Parameters"], data, item);
        let function =
            parameters["FunctionName"].as_str().expect("a function").trim_matches(['$', '{', '}']).to_owned();
        let limit = Duration::from_secs(state["TimeoutSeconds"].as_u64().expect("a limit"));
        let retries: Vec<&Value> = items(&state["Retry"]).collect();
        let mut used = vec![0; retries.len()];
        loop {
            // Lambda's own transient failures come as throttles or 5xx of the service.
            let struck = self.cloud.with(|state| state.strike("sweep", "lambda", "lambda:Invoke"));
            let answered = match struck {
                Some(_) => Err(json!({"errorType": "Lambda.ServiceException"})),
                None => match timeout(limit, self.lambda.invoke(&function, parameters["Payload"].clone())).await {
                    Ok(Some(answered)) => answered,
                    Ok(None) => Err(json!({"errorType": "Lambda.TooManyRequestsException"})),
                    Err(_) => Err(json!({"errorType": "States.Timeout"})),
                },
            };
            let error = match answered {
                Ok(answer) => return Ok(self.filled(&state["ResultSelector"], &json!({"Payload": answer}), item)),
                Err(error) => json!({"Error": error["errorType"], "Cause": error.to_string()}),
            };
            let fits = |retry: &&Value| {
                items(&retry["ErrorEquals"]).any(|name| *name == "States.ALL" || *name == error["Error"])
            };
            let Some(place) = retries.iter().position(fits) else { return Err(error) };
            let retry = retries[place];
            if used[place] >= retry["MaxAttempts"].as_u64().unwrap_or(3) {
                return Err(error);
            }
            let rate = retry["BackoffRate"].as_f64().unwrap_or(2.0);
            let exponent = i32::try_from(used[place]).expect("small");
            let first = Duration::from_secs(retry["IntervalSeconds"].as_u64().unwrap_or(1));
            let most = Duration::from_secs(retry["MaxDelaySeconds"].as_u64().unwrap_or(3_600));
            used[place] += 1;
            sleep(first.mul_f64(rate.powi(exponent)).min(most)).await;
        }
    }

    /// Branches side by side. The first that fails ends the others.
    async fn parallel(&self, state: &Value, data: &Value) -> Result<Value, Value> {
        let branches = items(&state["Branches"]).map(|branch| self.run(branch, data.clone(), &Value::Null));
        let results = Value::Array(try_join_all(branches).await?);
        Ok(self.filled(&state["ResultSelector"], &results, &Value::Null))
    }

    /// A distributed map: some at once, and each a machine of its own.
    async fn map(&self, state: &Value, data: &Value) -> Result<Value, Value> {
        let things: Vec<Value> = items(&path(state["ItemsPath"].as_str().expect("a path"), data)).cloned().collect();
        let at_once = usize::try_from(state["MaxConcurrency"].as_u64().expect("a bound")).expect("small");
        let mut results = vec![Value::Null; things.len()];
        let next = Cell::new(0);
        let results_of = RefCell::new(&mut results);
        let worker = async || {
            while next.get() < things.len() {
                let place = next.get();
                next.set(place + 1);
                let item = json!({"Value": things[place]});
                let input = self.filled(&state["ItemSelector"], data, &item);
                let result = self.run(&state["ItemProcessor"], input, &Value::Null).await;
                results_of.borrow_mut()[place] = result.unwrap_or_else(|error| error);
            }
        };
        let mut workers: Vec<_> = (0..at_once).map(|_| Box::pin(worker())).collect();
        poll_fn(|context| {
            workers.retain_mut(|worker| worker.as_mut().poll(context).is_pending());
            if workers.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(workers);
        Ok(Value::Array(results))
    }

    /// What stands at a path, of the data or of the context.
    fn at(&self, at: &str, data: &Value, item: &Value) -> Value {
        match (at.strip_prefix("$$.Map.Item."), at.strip_prefix("$$")) {
            (Some(rest), _) => path(&format!("$.{rest}"), item),
            (None, Some(rest)) => path(&format!("${rest}"), &self.context),
            (None, None) => path(at, data),
        }
    }

    /// A template whose fields that end in `.$` are read by their path, or by a function of paths.
    fn filled(&self, template: &Value, data: &Value, item: &Value) -> Value {
        match template {
            Value::Object(fields) => {
                let filled = fields.iter().map(|(name, value)| match name.strip_suffix(".$") {
                    Some(name) => {
                        let at = value.as_str().expect("a path");
                        let found = match at.strip_prefix("States.") {
                            Some(call) => intrinsic(call, data),
                            None => self.at(at, data, item),
                        };
                        (name.to_owned(), found)
                    }
                    None => (name.clone(), self.filled(value, data, item)),
                });
                Value::Object(filled.collect::<Map<_, _>>())
            }
            plain => plain.clone(),
        }
    }
}

fn path(path: &str, data: &Value) -> Value {
    let steps = path.trim_start_matches('$').split(['.', '[', ']']).filter(|step| !step.is_empty());
    steps.fold(data, |at, step| step.parse::<usize>().map_or_else(|_| &at[step], |place| &at[place])).clone()
}

/// Whether a choice is taken.
fn holds(choice: &Value, data: &Value) -> bool {
    let is = path(choice["Variable"].as_str().expect("a path"), data);
    match (choice.get("StringEquals").or_else(|| choice.get("BooleanEquals")), choice.get("NumericGreaterThanEquals")) {
        (Some(wanted), _) => is == *wanted,
        (None, Some(least)) => is.as_f64().expect("a number") >= least.as_f64().expect("a number"),
        (None, None) => panic!("this choice is not simulated: {choice}"),
    }
}

/// The functions of the definition: `Format('{} {}', $.a, $.b)` and `MathAdd($.a, 1)`.
fn intrinsic(call: &str, data: &Value) -> Value {
    let (name, arguments) = call.trim_end_matches(')').split_once('(').expect("arguments");
    let of = |argument: &str| match argument.strip_prefix('$') {
        Some(_) => path(argument, data),
        None => serde_json::from_str(argument).expect("a number"),
    };
    match name {
        "MathAdd" => arguments.split(", ").map(|argument| of(argument).as_i64().expect("a number")).sum::<i64>().into(),
        "Format" => {
            let (text, arguments) = arguments.trim_start_matches('\'').split_once('\'').expect("a text");
            let arguments = arguments.split(", ").filter(|argument| !argument.is_empty());
            let filled = arguments.fold(text.to_owned(), |text, argument| {
                let value = of(argument);
                text.replacen("{}", &value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned), 1)
            });
            filled.into()
        }
        other => panic!("States.{other} is not simulated"),
    }
}

/// The data after a state: the result alone, the input alone where the path is null, or both.
fn placed(path: Option<&Value>, mut data: Value, result: Value) -> Value {
    match path {
        None => result,
        Some(Value::Null) => data,
        Some(path) => {
            let name = path.as_str().unwrap_or_default().trim_start_matches("$.");
            if name == "$" {
                return result;
            }
            data[name] = result;
            data
        }
    }
}
