//! The stacks of the folder `stacks`, deployed into an account as a person does it.

use std::time::Duration;

use local_cloud::{AwsClient, AwsError};

use crate::{deploy::root, eventually};

const VERSION: &str = "2010-05-15";

/// Deploys a file of the folder `stacks` into the account of the client, with these parameters, under the file's name.
///
/// # Panics
///
/// When there is no such file, or the stack is not complete in time.
pub async fn deploy_account_stack(client: &AwsClient, file: &str, parameters: &[(&str, &str)]) -> Result<(), AwsError> {
    let path = root().join("stacks").join(format!("{file}.yaml"));
    let template = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let named: Vec<_> = (1..)
        .zip(parameters)
        .flat_map(|(n, (name, value))| {
            let member = format!("Parameters.member.{n}");
            [(format!("{member}.ParameterKey"), *name), (format!("{member}.ParameterValue"), *value)]
        })
        .collect();
    let mut input = vec![
        ("StackName", file),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    input.extend(named.iter().map(|(name, value)| (name.as_str(), *value)));
    client.query("cloudformation", "CreateStack", VERSION, &input).await?;
    eventually("the account's stack", Duration::from_mins(1), async || {
        let answer = client.query("cloudformation", "DescribeStacks", VERSION, &[("StackName", file)]).await.ok()?;
        (answer.text("StackStatus")? == "CREATE_COMPLETE").then_some(())
    })
    .await;
    Ok(())
}
