//! A second stack of the same build, in another account, without the SAM CLI: half a second instead of ten.

use std::time::Duration;

use local_cloud::{AwsError, LocalCloud, Method};

use crate::{Stack, deploy::with_defaults, eventually};

const VERSION: &str = "2010-05-15";

/// What a stack runs, to be deployed again.
#[derive(Clone, Debug)]
pub struct Package {
    /// The template with its macro applied already. Whoever asks MiniStack for it holds everybody up for a second or two.
    template: String,
}

impl Package {
    /// What a stack runs.
    pub async fn of(stack: &Stack) -> Result<Self, AwsError> {
        let processed = [("StackName", stack.name()), ("TemplateStage", "Processed")];
        let answer = stack.client.query("cloudformation", "GetTemplate", VERSION, &processed).await?;
        Ok(Self { template: answer.text("TemplateBody").unwrap_or_default() })
    }

    /// Deploys it into another account, under another name and with parameters of its own.
    ///
    /// The names differ because MiniStack ends the processes of all functions of one name, in whatever account, when
    /// one of them is deployed.
    pub async fn deploy(
        &self,
        cloud: &LocalCloud,
        account: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Stack, AwsError> {
        let client = cloud.client(account);
        // As the SAM CLI does it: in a request, a template of this size is too large. The code stays where it is: copies of
        // it for every stack would be gigabytes.
        let bucket = format!("template-of-{account}");
        client.rest("s3", Method::PUT, &format!("/{bucket}"), "").await?;
        client.rest("s3", Method::PUT, &format!("/{bucket}/template.yaml"), self.template.clone()).await?;
        let template_url = format!("https://s3.amazonaws.com/{bucket}/template.yaml");

        let named: Vec<_> = with_defaults(parameters)
            .into_iter()
            .enumerate()
            .flat_map(|(n, (parameter, value))| {
                let member = format!("Parameters.member.{}", n + 1);
                [(format!("{member}.ParameterKey"), parameter), (format!("{member}.ParameterValue"), value)]
            })
            .collect();
        let mut input = vec![
            ("StackName", name),
            ("TemplateURL", &template_url),
            ("Capabilities.member.1", "CAPABILITY_IAM"),
            ("Capabilities.member.2", "CAPABILITY_AUTO_EXPAND"),
        ];
        input.extend(named.iter().map(|(parameter, value)| (parameter.as_str(), *value)));
        client.query("cloudformation", "CreateStack", VERSION, &input).await?;
        eventually("the copied stack", Duration::from_mins(3), async || {
            let stack = [("StackName", name)];
            let answer = client.query("cloudformation", "DescribeStacks", VERSION, &stack).await.ok()?;
            (answer.text("StackStatus")? == "CREATE_COMPLETE").then_some(())
        })
        .await;
        Stack::read(client, name).await
    }
}
