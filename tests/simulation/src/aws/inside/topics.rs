//! Amazon SNS in a member: topics and who is subscribed to them. Nobody confirms a subscription.

use std::fmt::Write;

use jiff::SignedDuration;
use serde_json::json;

use crate::{
    aws::{
        Answer, Refusal, member,
        settings::{self, Topic},
    },
    call::Call,
    cloud::{Principal, State},
    script::Control,
    template::last,
    time,
};

/// How long a new topic may not be known everywhere.
const NEW: SignedDuration = SignedDuration::from_secs(5);

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    Some(match call.operation.as_str() {
        "CreateTopic" => Ok(create(state, who, call)),
        "GetTopicAttributes" => attributes(state, who, call),
        "SetTopicAttributes" => set(state, who, call),
        "ListSubscriptionsByTopic" => subscriptions(state, who, call),
        "Subscribe" => subscribe(state, who, call),
        _ => return None,
    })
}

/// The topic that a call names, if it is known where the call is looked at.
fn find<'a>(state: &'a mut State, who: &Principal, call: &Call) -> Result<&'a mut Topic, Refusal> {
    let missing = || Refusal::new(404, "NotFound", "Topic does not exist");
    settings::of(state, &who.account);
    let settings = state.settings.get_mut(&who.account).expect("it is there");
    let topic = settings.topics.get_mut(last(call.text("TopicArn"))).ok_or_else(missing)?;
    let is_new = time::now().duration_since(topic.made_at) < NEW;
    if is_new && state.draws.happens("a new topic is not known here", 10) { Err(missing()) } else { Ok(topic) }
}

/// A topic of the same name is left as it is.
fn create(state: &mut State, who: &Principal, call: &Call) -> Answer {
    let (account, name) = (&who.account, call.text("Name"));
    let arn = format!("arn:aws:sns:us-east-1:{account}:{name}");
    let settings = settings::of(state, account);
    if !settings.topics.contains_key(name) {
        // Amazon SNS developer guide, "Example cases for Amazon SNS access control".
        let policy = json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{
            "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
            "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
            "Resource": arn, "Condition": {"StringEquals": {"AWS:SourceOwner": account}}}]});
        let topic = Topic { made_at: time::now(), policy: policy.to_string(), subscriptions: Vec::new() };
        settings.topics.insert(name.to_owned(), topic);
        settings::changed(state, account, Control::BillingAlarm, Some(&who.function));
    }
    Answer::query("CreateTopic", &format!("<TopicArn>{arn}</TopicArn>"))
}

fn attributes(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let policy = member::escaped(&find(state, who, call)?.policy);
    let entries = [("TopicArn", call.text("TopicArn")), ("Owner", &who.account), ("Policy", &policy)];
    let entries = entries.map(|(key, value)| format!("<entry><key>{key}</key><value>{value}</value></entry>"));
    Ok(Answer::query("GetTopicAttributes", &format!("<Attributes>{}</Attributes>", entries.concat())))
}

fn set(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let topic = find(state, who, call)?;
    if call.text("AttributeName") != "Policy" {
        return Err(Refusal::new(400, "InvalidParameter", "Invalid parameter: AttributeName"));
    }
    call.text("AttributeValue").clone_into(&mut topic.policy);
    settings::changed(state, &who.account, Control::BillingAlarm, Some(&who.function));
    Ok(Answer::query("SetTopicAttributes", ""))
}

fn subscriptions(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let arn = call.text("TopicArn");
    let mut rows = String::new();
    for address in &find(state, who, call)?.subscriptions {
        write!(
            rows,
            "<member><SubscriptionArn>PendingConfirmation</SubscriptionArn><Owner>{}</Owner><Protocol>email</Protocol>\
             <Endpoint>{address}</Endpoint><TopicArn>{arn}</TopicArn></member>",
            who.account
        )
        .expect("a text");
    }
    Ok(Answer::query("ListSubscriptionsByTopic", &format!("<Subscriptions>{rows}</Subscriptions>")))
}

fn subscribe(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let topic = find(state, who, call)?;
    let address = call.text("Endpoint").to_owned();
    if !topic.subscriptions.contains(&address) {
        topic.subscriptions.push(address);
        settings::changed(state, &who.account, Control::BillingAlarm, Some(&who.function));
    }
    Ok(Answer::query("Subscribe", "<SubscriptionArn>pending confirmation</SubscriptionArn>"))
}
