//! AWS as a test meets it: every operation has the token bucket that AWS publishes, and throttles who comes too fast.
//! It runs on the clock of the runtime, which a test can pause.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::{AsyncSleep, Credentials, Region, SharedAsyncSleep, SharedCredentialsProvider, Sleep};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use tokio::time::Instant;

/// Calls per second and at once, as "Quotas" of the AWS Organizations user guide and of the Account Management reference
/// guide have them for one account.
const PUBLISHED: [(&str, f64, f64); 22] = [
    ("DescribeAccount", 20.0, 30.0),
    ("DescribeCreateAccountStatus", 2.0, 2.0),
    ("DescribeOrganization", 1.0, 2.0),
    ("DescribeOrganizationalUnit", 2.0, 2.0),
    ("ListAccounts", 8.0, 12.0),
    ("ListCreateAccountStatus", 5.0, 8.0),
    ("ListDelegatedAdministrators", 5.0, 8.0),
    ("ListAWSServiceAccessForOrganization", 1.0, 3.0),
    ("ListOrganizationalUnitsForParent", 5.0, 8.0),
    ("ListRoots", 1.0, 2.0),
    ("ListTagsForResource", 10.0, 15.0),
    ("MoveAccount", 2.0, 3.0),
    ("TagResource", 4.0, 6.0),
    ("deleteAlternateContact", 1.0, 6.0),
    ("disableRegion", 1.0, 1.0),
    ("enableRegion", 1.0, 1.0),
    ("getAlternateContact", 10.0, 15.0),
    ("getContactInformation", 10.0, 15.0),
    ("listRegions", 5.0, 5.0),
    ("putAlternateContact", 5.0, 8.0),
    ("putContactInformation", 5.0, 8.0),
    ("CreateAccount", 0.1, 3.0),
];

/// Sleeps by the clock of the runtime.
#[derive(Debug)]
struct RuntimeSleep;

impl AsyncSleep for RuntimeSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

/// What has been called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published(Arc<Mutex<Tally>>);

#[derive(Debug, Default)]
struct Tally {
    buckets: BTreeMap<String, Bucket>,
    calls: BTreeMap<String, usize>,
    throttled: BTreeMap<String, usize>,
}

impl Published {
    /// The configuration of a client of this AWS, which answers an operation and its input with this.
    pub(crate) fn config(&self, answer: impl Fn(&str, &Value) -> Value + Send + Sync + 'static) -> SdkConfig {
        let tally = Arc::clone(&self.0);
        let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
            let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.map_or_else(
                || request.uri().path().trim_matches('/').to_owned(),
                |target| target.rsplit('.').next().unwrap_or_default().to_owned(),
            );
            if tally.lock().unwrap().take(&operation) {
                let input = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
                http::Response::builder().status(200).body(answer(&operation, &input).to_string()).unwrap()
            } else {
                let body = r#"{"__type":"TooManyRequestsException","message":"slow down"}"#.to_owned();
                let response = http::Response::builder().header("x-amzn-errortype", "TooManyRequestsException");
                response.status(429).body(body).unwrap()
            }
        });
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .sleep_impl(SharedAsyncSleep::new(RuntimeSleep))
            .http_client(http)
            .build()
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.0.lock().unwrap().calls.get(operation).copied().unwrap_or_default()
    }

    /// The operations that were called too fast, and how often.
    pub(crate) fn throttled(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().throttled.clone()
    }
}

impl Tally {
    fn take(&mut self, operation: &str) -> bool {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let published = PUBLISHED.iter().find(|(name, ..)| *name == operation);
        let (_, per_second, burst) = *published.unwrap_or_else(|| panic!("no rate is known of {operation}"));
        let now = Instant::now();
        let full = || Bucket { tokens: burst, filled_at: now };
        let bucket = self.buckets.entry(operation.to_owned()).or_insert_with(full);
        let gained = now.duration_since(bucket.filled_at).as_secs_f64() * per_second;
        // The clock counts milliseconds: what is rounded is not too fast.
        bucket.tokens = (bucket.tokens + gained).min(burst);
        bucket.filled_at = now;
        if bucket.tokens < 0.99 {
            *self.throttled.entry(operation.to_owned()).or_default() += 1;
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use serde_json::json;

    use super::*;
    use crate::{
        error::Cause,
        gateway::{AccountTarget, CallError, ContactKind, Management, Rates},
        ids::AccountId,
        invocation,
    };

    fn answer(operation: &str, _: &Value) -> Value {
        match operation {
            "ListRoots" => json!({"Roots": [{"Id": "r-ab12"}]}),
            "DescribeOrganization" => {
                json!({"Organization": {"Id": "o-abcdefghij", "MasterAccountId": "111111111111"}})
            }
            _ => json!({}),
        }
    }

    /// Every operation that is called for one account after the other. What is answered does not matter here.
    async fn visit(management: &Management, number: usize) -> Vec<CallError> {
        let Management { organizations, accounts, .. } = management;
        let id: AccountId = format!("{:012}", 222_222_222_222_usize + number).parse().unwrap();
        let target = AccountTarget::of(&id, &"111111111111".parse().unwrap());
        let (from, to) = ("r-ab12".parse().unwrap(), "ou-ab12-aaaaaaaa".parse().unwrap());
        let region = "eu-south-1".parse().unwrap();
        let tags = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
        let status = "car-1234567890abcdef".parse().unwrap();
        [
            organizations.find_root().await.err(),
            organizations.describe_organization().await.err(),
            organizations.describe_account(&id).await.err(),
            organizations.describe_create_account_status(&status).await.err(),
            organizations.find_organizational_unit(&to).await.err(),
            organizations.list_organizational_units(&from).await.err(),
            organizations.move_account(&id, &from, &to).await.err(),
            organizations.list_tags(&id).await.err(),
            organizations.put_tags(&id, &tags).await.err(),
            organizations.list_trusted_services().await.err(),
            organizations.list_delegated_administrators("iam.amazonaws.com").await.err(),
            accounts.find_alternate_contact(&target, ContactKind::Billing).await.err(),
            accounts.delete_alternate_contact(&target, ContactKind::Billing).await.err(),
            accounts.list_regions(&target).await.err(),
            accounts.enable_region(&target, &region).await.err(),
            accounts.disable_region(&target, &region).await.err(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn work_on_forty_accounts_is_throttled_neither_by_aws_nor_by_itself() {
        let published = Published::default();
        let management = Management::of(&published.config(answer), &Rates::new(1.0, Vec::new()), None);
        let visits = stream::iter((0..40).map(|number| visit(&management, number))).buffer_unordered(8).collect();
        let errors: Vec<Vec<CallError>> = invocation::lasting(Duration::from_mins(5), visits).await;
        assert_eq!(published.throttled(), BTreeMap::new());
        let causes: Vec<_> = errors.iter().flatten().map(|error| error.cause).collect();
        assert!(!causes.contains(&Cause::Throttled) && !causes.contains(&Cause::NoTimeLeft), "{causes:?}");
        assert_eq!(published.calls("MoveAccount"), 40);
    }

    #[tokio::test(start_paused = true)]
    async fn two_processes_that_ask_for_regions_at_the_same_moments_get_out_of_each_others_way() {
        let published = Published::default();
        let (member, region) = ("222222222222".parse().unwrap(), "eu-south-1".parse().unwrap());
        let target = AccountTarget::of(&member, &"111111111111".parse().unwrap());
        let work = async |late: u64| {
            let accounts = Management::of(&published.config(answer), &Rates::new(0.1, Vec::new()), None).accounts;
            tokio::time::sleep(Duration::from_millis(late)).await;
            for _ in 0..12 {
                accounts.enable_region(&target, &region).await.unwrap();
            }
        };
        let both = async { tokio::join!(work(0), work(840)) };
        invocation::lasting(Duration::from_mins(5), both).await;
        assert_eq!(published.throttled(), BTreeMap::from([("enableRegion".to_owned(), 1)]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_for_an_account_that_comes_too_soon_is_held_back_at_once_and_never_throttled_by_aws() {
        let published = Published::default();
        let config = published.config(|_, _| json!({"CreateAccountStatus": {"Id": "car-1", "State": "IN_PROGRESS"}}));
        let organizations = Management::of(&config, &Rates::new(1.0, Vec::new()), None).organizations;
        let (email, name) = ("a@example.com".parse().unwrap(), "A".parse().unwrap());
        let role_name = crate::ids::RoleName::organization_account_access();
        let tags = BTreeMap::new();
        let account = crate::gateway::AccountToCreate {
            email: &email,
            name: &name,
            role_name: &role_name,
            iam_user_access_to_billing: true,
            tags: &tags,
        };
        let begun = Instant::now();
        let ask = async || invocation::lasting(Duration::from_mins(2), organizations.create_account(&account)).await;
        let held_back = async || ask().await.err().filter(|error| error.cause == Cause::Throttled).map(|e| e.refused);
        let mut taken = 0;
        for _ in 0..60 {
            match held_back().await {
                None => taken += 1,
                Some(refused) => assert!(refused, "nothing was sent"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(begun.elapsed(), Duration::from_mins(1), "nobody waits");
        assert_eq!((taken, published.calls("CreateAccount")), (8, 8), "three at once and one in ten seconds");
        assert_eq!(published.throttled(), BTreeMap::new());
    }
}
