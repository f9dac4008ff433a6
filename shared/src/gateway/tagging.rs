//! The Resource Groups Tagging API: the tags of many accounts in one call. Every call goes to us-east-1, where AWS
//! Organizations is; in another region the list is empty.

use std::{collections::BTreeMap, sync::Arc};

use aws_config::SdkConfig;
use aws_sdk_resourcegroupstagging::{Client, config::Builder, config::Region as SdkRegion};

use super::{
    CallError, Roster,
    rate_limiter::{RateLimiter, Rates},
};
use crate::{
    error::Cause,
    ids::{AccountId, Region},
};

/// How many resources AWS takes in one call (API reference, `GetResources`).
const AT_MOST: usize = 100;

/// The tags of some accounts; every account that was asked for is in it.
pub type TagsOfAccounts = BTreeMap<AccountId, BTreeMap<String, String>>;

/// The door to the index of tags.
#[derive(Clone, Debug)]
pub struct TaggingGateway {
    client: Client,
    limiter: Arc<RateLimiter>,
    roster: Option<Roster>,
}

impl TaggingGateway {
    /// A gateway over the SDK's client. AWS publishes no rate for it: this takes its share of five calls a second.
    pub(crate) fn new(client: Client, rates: &Rates) -> Self {
        Self { client, limiter: Arc::new(RateLimiter::new("GetResources", 5.0, 5.0, rates)), roster: None }
    }

    /// A gateway with a client of its own.
    pub(crate) fn of(config: &SdkConfig, rates: &Rates) -> Self {
        let region = SdkRegion::new(Region::us_east_1().as_str().to_owned());
        Self::new(Client::from_conf(Builder::from(config).region(region).build()), rates)
    }

    /// The same where accounts have the tags that a document names, which no index has.
    #[must_use]
    pub(crate) fn of_roster(self, roster: Option<Roster>) -> Self {
        Self { roster, ..self }
    }

    /// The tags of these accounts of the organization whose accounts have ARNs that begin so, as the index has them: it
    /// leaves out what was never tagged, and shows a change only after a while.
    pub async fn tags_of_accounts(&self, arns: &str, ids: &[AccountId]) -> Result<TagsOfAccounts, CallError> {
        const OPERATION: &str = "tag:GetResources";
        if let Some(roster) = &self.roster {
            let named = roster.read(OPERATION)?;
            return ids.iter().map(|id| Ok((id.clone(), named.tags(OPERATION, id)?))).collect();
        }
        let mut found: TagsOfAccounts = ids.iter().map(|id| (id.clone(), BTreeMap::new())).collect();
        for ids in ids.chunks(AT_MOST) {
            self.limiter.turn(OPERATION).await?;
            let asked = ids.iter().map(|id| format!("{arns}{id}")).collect();
            let answer = self.client.get_resources().set_resource_arn_list(Some(asked)).send().await;
            let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
            for entry in answer.resource_tag_mapping_list() {
                let id = entry.resource_arn().and_then(|arn| arn.strip_prefix(arns)).and_then(|id| id.parse().ok());
                let tags = id.and_then(|id: AccountId| found.get_mut(&id)).ok_or_else(|| {
                    let what = format!("the tags of {:?}, which was not asked for", entry.resource_arn());
                    CallError::unusable(OPERATION, Cause::CallFailed, what)
                })?;
                *tags = entry.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_resourcegroupstagging::{
        operation::get_resources::{GetResourcesError, GetResourcesOutput},
        types::{ResourceTagMapping, Tag},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;
    use crate::{gateway::testing::denied, invocation};

    const ARNS: &str = "arn:aws:organizations::111111111111:account/o-abcdefghij/";

    fn ids(count: usize) -> Vec<AccountId> {
        (0..count).map(|n| format!("{:012}", 222_222_222_222_usize + n).parse().unwrap()).collect()
    }

    async fn tags(rule: &Rule, count: usize) -> Result<TagsOfAccounts, CallError> {
        let client = mock_client!(aws_sdk_resourcegroupstagging, RuleMode::MatchAny, [rule]);
        let gateway = TaggingGateway::new(client, &Rates::new(1.0, Vec::new()));
        invocation::lasting(Duration::from_mins(1), gateway.tags_of_accounts(ARNS, &ids(count))).await
    }

    #[tokio::test]
    async fn an_account_that_the_index_leaves_out_has_no_tags_and_a_hundred_are_asked_for_at_once() {
        let rule =
            mock!(Client::get_resources).match_requests(|r| r.resource_arn_list().len() <= 100).then_output(|| {
                let tag = Tag::builder().key("team").value("blue").build().unwrap();
                let tagged = ResourceTagMapping::builder().resource_arn(format!("{ARNS}222222222223")).tags(tag);
                GetResourcesOutput::builder().resource_tag_mapping_list(tagged.build()).build()
            });
        let found = tags(&rule, 150).await.unwrap();
        assert_eq!((found.len(), rule.num_calls()), (150, 2));
        let tagged: Vec<_> = found.iter().filter(|(_, tags)| !tags.is_empty()).collect();
        assert_eq!(tagged.len(), 1);
        assert_eq!((tagged[0].0.as_str(), tagged[0].1["team"].as_str()), ("222222222223", "blue"));
    }

    #[tokio::test]
    async fn a_denied_read_is_no_account_without_tags() {
        let rule = mock!(Client::get_resources).then_error(|| GetResourcesError::generic(denied()));
        assert_eq!(tags(&rule, 1).await.unwrap_err().cause, Cause::AccessDenied);
    }
}
