//! The command `local-cloud serve`.

use std::error::Error;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use crate::{AwsError, LocalCloud, Options, Organization};

const USAGE: &str = "usage: local-cloud serve [--port PORT] [--time-scale N] [--log FILE] [--management-account ID]";

/// What the command line asks for.
#[derive(Debug)]
struct Arguments {
    options: Options,
    management_account: String,
}

/// Serves until Ctrl-C or a termination signal.
pub fn run(arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let Arguments { options, management_account } = parse(arguments)?;
    let cloud = LocalCloud::start(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let organization = sample(&cloud, &management_account).await?;
        greet(&cloud, &organization);
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    if arguments.next().as_deref() != Some("serve") {
        return Err(USAGE.into());
    }
    let mut options = Options::default();
    let mut management_account = "111111111111".to_owned();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--port" => options.port = value.parse()?,
            "--time-scale" => options.time_scale = value.parse()?,
            "--log" => options.log = Some(PathBuf::from(value)),
            "--management-account" => management_account = value,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(Arguments { options, management_account })
}

/// An organization with something in it to look at.
async fn sample(cloud: &LocalCloud, management_account: &str) -> Result<Organization, AwsError> {
    cloud
        .organization(management_account)
        .unit("/Security")
        .unit("/Workloads/Prod")
        .unit("/Workloads/Test")
        .member("222222222222", "Security", "aws+security@example.com", "/Security")
        .member("333333333333", "Shop", "aws+shop@example.com", "/Workloads/Prod")
        .create()
        .await
}

#[expect(clippy::print_stdout, reason = "what the person at the terminal needs to know")]
fn greet(cloud: &LocalCloud, organization: &Organization) {
    println!("The local cloud serves at {}; Ctrl-C ends it.", cloud.endpoint());
    println!("Organization {} with these accounts:", organization.id());
    for account in organization.account_ids() {
        println!("  {account}");
    }
    println!("For the AWS CLI, as the root user of the management account:");
    println!("  export AWS_ENDPOINT_URL={}", cloud.endpoint());
    println!("  export AWS_ACCESS_KEY_ID={}", organization.management_account());
    println!("  export AWS_SECRET_ACCESS_KEY={}", crate::AwsClient::ROOT_SECRET);
    println!("  export AWS_DEFAULT_REGION={}", crate::client::REGION);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, Box<dyn Error>> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_command_line_is_understood() {
        let arguments = parsed("serve --port 4566 --time-scale 20").unwrap();
        assert_eq!(arguments.options.port, 4566);
        assert!((arguments.options.time_scale - 20.0).abs() < f64::EPSILON);
        assert_eq!(arguments.management_account, "111111111111");
    }

    #[test]
    fn anything_else_shows_the_usage() {
        for line in ["", "start", "serve --port", "serve --colour red"] {
            assert_eq!(parsed(line).unwrap_err().to_string(), USAGE, "{line}");
        }
        assert!(parsed("serve --port none").is_err());
    }
}
