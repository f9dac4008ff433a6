//! Queue policies.

use aws_sdk_sqs::types::QueueAttributeName;

use super::SqsGateway;
use crate::gateway::CallError;

impl SqsGateway {
    /// The queue's policy as it was put; None when it has none.
    pub async fn find_policy(&self) -> Result<Option<String>, CallError> {
        let call = self.client.get_queue_attributes().queue_url(&self.queue_url);
        let answer = call.attribute_names(QueueAttributeName::Policy).send().await;
        let answer = answer.map_err(|error| CallError::of("sqs:GetQueueAttributes", error))?;
        let policy = answer.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::Policy));
        Ok(policy.filter(|policy| !policy.is_empty()).cloned())
    }

    /// Gives the queue this policy in the place of any other; None takes it away.
    pub async fn set_policy(&self, policy: Option<&str>) -> Result<(), CallError> {
        let call = self.client.set_queue_attributes().queue_url(&self.queue_url);
        let answer = call.attributes(QueueAttributeName::Policy, policy.unwrap_or_default()).send().await;
        answer.map(drop).map_err(|error| CallError::of("sqs:SetQueueAttributes", error))
    }
}
