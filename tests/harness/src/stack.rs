//! A deployed stack, as an operator sees it.

use std::collections::BTreeMap;

use local_cloud::{AwsClient, AwsError, Method};
use serde_json::{Value, json};

/// A deployed stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// A client of the management account.
    pub client: AwsClient,
    name: String,
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Reads the stack's outputs.
    pub async fn read(client: AwsClient, name: &str) -> Result<Self, AwsError> {
        let answer = client.query("cloudformation", "DescribeStacks", "2010-05-15", &[("StackName", name)]).await?;
        let outputs = answer
            .children("Outputs")
            .iter()
            .flat_map(|outputs| outputs.children("member"))
            .filter_map(|output| Some((output.text("OutputKey")?, output.text("OutputValue")?)))
            .collect();
        Ok(Self { client, name: name.to_owned(), outputs })
    }

    /// The stack's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One of the stack's outputs.
    ///
    /// # Panics
    ///
    /// When the template has no such output.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack has no output {name}: {:?}", self.outputs))
    }

    /// The outputs that name functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        self.outputs.keys().map(String::as_str).filter(|output| output.ends_with("Function"))
    }

    /// Invokes the account requester by hand.
    pub async fn request(&self, input: &Value) -> Result<Value, AwsError> {
        self.invoke("AccountRequesterFunction", input).await
    }

    /// Invokes the create-account poller by hand.
    pub async fn poll(&self, input: &Value) -> Result<Value, AwsError> {
        self.invoke("CreateAccountPollerFunction", input).await
    }

    /// Invokes the baseline applier by hand.
    pub async fn baseline(&self, input: &Value) -> Result<Value, AwsError> {
        self.invoke("BaselineApplierFunction", input).await
    }

    /// Invokes a function by hand, by the output that names it.
    pub async fn invoke(&self, function_output: &str, input: &Value) -> Result<Value, AwsError> {
        self.client.invoke(self.output(function_output), input).await
    }

    /// The configuration of a function, by the output that names it.
    pub async fn configuration(&self, function_output: &str) -> Result<Value, AwsError> {
        let path = format!("/2015-03-31/functions/{}/configuration", self.output(function_output));
        let answer = self.client.rest("lambda", Method::GET, &path, "").await?;
        Ok(serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    /// Changes the configuration of a function, as a person does in the console.
    pub async fn configure(&self, function_output: &str, change: &Value) -> Result<(), AwsError> {
        let path = format!("/2015-03-31/functions/{}/configuration", self.output(function_output));
        self.client.rest("lambda", Method::PUT, &path, change.to_string()).await.map(drop)
    }

    /// Puts an event on the stack's request bus, as a portal or a person would.
    pub async fn put_event(&self, detail_type: &str, detail: &Value) -> Result<(), AwsError> {
        self.put_event_on("RequestBusName", "example.portal", detail_type, detail).await
    }

    /// Puts an event on one of the stack's buses, by the output that names it.
    pub async fn put_event_on(
        &self,
        bus_output: &str,
        source: &str,
        detail_type: &str,
        detail: &Value,
    ) -> Result<(), AwsError> {
        let entry = json!({
            "EventBusName": self.output(bus_output),
            "Source": source,
            "DetailType": detail_type,
            "Detail": detail.to_string(),
        });
        self.client.json("events", "PutEvents", json!({ "Entries": [entry] })).await.map(drop)
    }

    /// Puts a baseline document where the parameter `BaselineKey` = `baseline.yaml` expects it.
    pub async fn put_document(&self, document: &str) -> Result<(), AwsError> {
        let path = format!("/{}/baseline.yaml", self.output("DocumentsBucket"));
        self.client.rest("s3", Method::PUT, &path, document.to_owned()).await.map(drop)
    }

    /// Puts the file of a policy of the organization beside the baseline document.
    pub async fn put_policy(&self, name: &str, content: &str) -> Result<(), AwsError> {
        let path = format!("/{}/policies/{name}", self.output("DocumentsBucket"));
        self.client.rest("s3", Method::PUT, &path, content.to_owned()).await.map(drop)
    }

    /// Makes the stack one that has watched its organization for years.
    pub async fn watch_for_years(&self) -> Result<(), AwsError> {
        self.put_item(&json!({"pk": {"S": "installation"}, "first_sweep_at": {"S": "2020-01-01T00:00:00Z"}})).await
    }

    /// Puts an item into the stack's table, as a person does in the console.
    pub async fn put_item(&self, item: &Value) -> Result<(), AwsError> {
        let put = json!({"TableName": self.output("StateTable"), "Item": item});
        let input = json!({"TransactItems": [{"Put": put}]});
        self.client.json("dynamodb", "TransactWriteItems", input).await.map(drop)
    }

    /// An item of the stack's table, as plain JSON.
    pub async fn item(&self, pk: &str) -> Result<Option<Value>, AwsError> {
        self.item_of("StateTable", pk).await
    }

    /// An item of one of the stack's tables, as plain JSON.
    pub async fn item_of(&self, table_output: &str, pk: &str) -> Result<Option<Value>, AwsError> {
        let input = json!({"TableName": self.output(table_output), "Key": {"pk": {"S": pk}}, "ConsistentRead": true});
        let answer = self.client.json("dynamodb", "GetItem", input).await?;
        Ok(answer.get("Item").map(|item| plain(&json!({ "M": item }))))
    }

    /// The id of the request with this e-mail address, looked for as an operator would in the console.
    pub async fn find_request(&self, email: &str) -> Result<Option<String>, AwsError> {
        let input = json!({
            "TableName": self.output("StateTable"),
            "FilterExpression": "spec.email = :email",
            "ExpressionAttributeValues": {":email": {"S": email}},
        });
        let answer = self.client.json("dynamodb", "Scan", input).await?;
        Ok(answer["Items"][0]["request_id"]["S"].as_str().map(ToOwned::to_owned))
    }

    /// The bodies of up to ten messages that wait in a queue; they stay there.
    pub async fn peek(&self, queue_output: &str) -> Result<Vec<String>, AwsError> {
        let input = json!({"QueueUrl": self.output(queue_output), "MaxNumberOfMessages": 10, "VisibilityTimeout": 0});
        let answer = self.client.json("sqs", "ReceiveMessage", input).await?;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        Ok(messages.iter().filter_map(|message| message["Body"].as_str().map(ToOwned::to_owned)).collect())
    }

    /// Sends a message to one of the stack's queues.
    pub async fn send(&self, queue_output: &str, body: &str) -> Result<(), AwsError> {
        let input = json!({"QueueUrl": self.output(queue_output), "MessageBody": body});
        self.client.json("sqs", "SendMessage", input).await.map(drop)
    }
}

/// A typed attribute of DynamoDB as the JSON that it stands for.
fn plain(attribute: &Value) -> Value {
    let Some((kind, value)) = attribute.as_object().and_then(|typed| typed.iter().next()) else { return Value::Null };
    match kind.as_str() {
        "M" => value.as_object().into_iter().flatten().map(|(name, inner)| (name.clone(), plain(inner))).collect(),
        "L" => value.as_array().into_iter().flatten().map(plain).collect(),
        "N" => value.as_str().and_then(|number| serde_json::from_str(number).ok()).unwrap_or(Value::Null),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_become_plain_json() {
        let item = json!({"M": {"a": {"S": "x"}, "n": {"N": "7"}, "l": {"L": [{"BOOL": true}, {"NULL": true}]}}});
        assert_eq!(plain(&item), json!({"a": "x", "n": 7, "l": [true, null]}));
    }
}
