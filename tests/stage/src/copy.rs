//! A second stack of the same build, in another account, without the SAM CLI: half a second instead of ten.

use std::{collections::BTreeSet, time::Duration};

use local_cloud::{AwsError, LocalCloud, Method};

use crate::{Stack, deploy::with_defaults, eventually};

const VERSION: &str = "2010-05-15";

impl Stack {
    /// Deploys what this stack runs into another account, under another name and with parameters of its own.
    ///
    /// The names differ because MiniStack ends the processes of all functions of one name, in whatever account, when
    /// one of them is deployed.
    pub async fn copy(
        &self,
        cloud: &LocalCloud,
        account: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Self, AwsError> {
        let (packaged, client) = (&self.client, cloud.client(account));
        let original = [("StackName", self.name()), ("TemplateStage", "Original")];
        let answer = packaged.query("cloudformation", "GetTemplate", VERSION, &original).await?;
        let mut template = answer.text("TemplateBody").unwrap_or_default();
        let bucket = format!("code-of-{account}");
        client.rest("s3", Method::PUT, &format!("/{bucket}"), "").await?;
        for (source, key) in objects(&template) {
            let code = packaged.rest("s3", Method::GET, &format!("/{source}/{key}"), "").await?;
            client.rest("s3", Method::PUT, &format!("/{bucket}/{key}"), code.into_body()).await?;
            template = template.replace(&source, &bucket);
        }

        // As the SAM CLI does it: in a request, a template of this size is too large.
        client.rest("s3", Method::PUT, &format!("/{bucket}/template.yaml"), template).await?;
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
        eventually("the copied stack", Duration::from_mins(1), async || {
            let stack = [("StackName", name)];
            let answer = client.query("cloudformation", "DescribeStacks", VERSION, &stack).await.ok()?;
            (answer.text("StackStatus")? == "CREATE_COMPLETE").then_some(())
        })
        .await;
        Self::read(client, name).await
    }
}

/// The buckets and keys of what a packaged template names: code as `s3://bucket/key`, the definition of a state machine
/// as a `Bucket` and its `Key`.
fn objects(template: &str) -> BTreeSet<(String, String)> {
    let ends = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    let uris = template.split("s3://").skip(1).filter_map(|rest| rest.split(ends).next()?.split_once('/'));
    let lines = template.lines().map(str::trim);
    let pairs = lines.clone().zip(lines.skip(1)).filter_map(|(bucket, key)| {
        let (bucket, key) = (bucket.strip_prefix("Bucket: ")?, key.strip_prefix("Key: ")?);
        Some((bucket.trim_matches(['"', '\'']), key.trim_matches(['"', '\''])))
    });
    uris.chain(pairs).map(|(bucket, key)| (bucket.to_owned(), key.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_packaged_template_names_is_found() {
        let template = "A:\n  CodeUri: s3://bucket/steward/1a\nB:\n  CodeUri: \"s3://bucket/steward/2b\"\n\
            C:\n  DefinitionUri:\n    Bucket: bucket\n    Key: steward/3c\nD:\n  Bucket: !Ref Documents\n  Policy: {}\n";
        let found: Vec<_> = objects(template).into_iter().collect();
        let key = |key: &str| ("bucket".to_owned(), format!("steward/{key}"));
        assert_eq!(found, [key("1a"), key("2b"), key("3c")]);
    }
}
