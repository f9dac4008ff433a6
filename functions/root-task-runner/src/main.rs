//! The Lambda function `root-task-runner`.

use root_task_runner::RootTaskRunner;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(RootTaskRunner::NAME, RootTaskRunner::new, RootTaskRunner::handle).await
}
