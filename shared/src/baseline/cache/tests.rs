use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    operation::{
        get_item::GetItemOutput,
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
    },
    types::{AttributeValue, CancellationReason, error::TransactionCanceledException},
};
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_sdk_s3::{
    operation::get_object::{GetObjectError, GetObjectOutput},
    primitives::ByteStream,
    types::error::NoSuchKey,
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

use super::*;

const GOOD: &str = "version: 1\ndefaults: {billing-alarm: {threshold_usd: 7, emails: [a@example.com]}}";
const BETTER: &str = "version: 1\ndefaults: {billing-alarm: {threshold_usd: 8, emails: [a@example.com]}}";
const BAD: &str = "version: 3\nunknown: 1";

/// A bucket that keeps versions, a table and a bus, as far as the document needs them.
#[derive(Default)]
struct World {
    /// The versions of the document, oldest first; None for one that is gone.
    versions: Vec<Option<&'static str>>,
    is_deleted: bool,
    item: Option<HashMap<String, AttributeValue>>,
    is_denied: bool,
    reads: usize,
    published: Vec<String>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<World>>);

type Object = MockResponse<GetObjectOutput, GetObjectError>;

impl Shared {
    fn world<T>(&self, ask: impl FnOnce(&mut World) -> T) -> T {
        ask(&mut self.0.lock().unwrap())
    }

    fn upload(&self, text: &'static str) {
        self.world(|world| world.versions.push(Some(text)));
    }

    /// A function that starts now.
    fn cold(&self) -> (DocumentCache, EventBridgeGateway) {
        let (bucket, reading, writing, bus) = (self.clone(), self.clone(), self.clone(), self.clone());
        let get = mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |input| {
            bucket.world(|world| {
                world.reads += 1;
                get_object(world, input.version_id(), input.if_none_match())
            })
        });
        let find = mock!(aws_sdk_dynamodb::Client::get_item).then_compute_output(move |_| {
            GetItemOutput::builder().set_item(reading.world(|world| world.item.clone())).build()
        });
        let write = mock!(aws_sdk_dynamodb::Client::transact_write_items).then_compute_response(move |input| {
            let put = input.transact_items()[0].put().unwrap().clone();
            writing.world(|world| transact(world, &put))
        });
        let put = mock!(aws_sdk_eventbridge::Client::put_events).then_compute_output(move |input| {
            bus.world(|world| world.published.push(input.entries()[0].detail().unwrap().to_owned()));
            PutEventsOutput::builder().failed_entry_count(0).build()
        });
        let s3 = S3Gateway::new(mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&get]), "bucket");
        let table = DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&find, &write]), "table");
        let bus = EventBridgeGateway::new(mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&put]), "bus");
        (DocumentCache::stored(s3, "baseline.yaml", table, RoleName::organization_account_access()), bus)
    }

    fn published(&self) -> Vec<BaselineDocumentRefused> {
        self.world(|world| world.published.iter().map(|text| serde_json::from_str(text).unwrap()).collect())
    }
}

fn get_object(world: &World, version: Option<&str>, known: Option<&str>) -> Object {
    if world.is_denied {
        let denied = ErrorMetadata::builder().code("AccessDenied").message("no").build();
        return MockResponse::Error(GetObjectError::generic(denied));
    }
    let number = match version {
        Some(version) => version.strip_prefix("v").unwrap().parse().unwrap(),
        None if world.is_deleted || world.versions.is_empty() => {
            return MockResponse::Error(GetObjectError::NoSuchKey(NoSuchKey::builder().build()));
        }
        None => world.versions.len(),
    };
    let etag = format!("\"{number}\"");
    if known == Some(etag.as_str()) {
        return MockResponse::Http(HttpResponse::new(StatusCode::try_from(304).unwrap(), SdkBody::empty()));
    }
    let Some(text) = world.versions[number - 1] else {
        let gone = ErrorMetadata::builder().code("NoSuchVersion").message("gone").build();
        return MockResponse::Error(GetObjectError::generic(gone));
    };
    let object = GetObjectOutput::builder().e_tag(etag).version_id(format!("v{number}"));
    MockResponse::Output(object.body(ByteStream::from_static(text.as_bytes())).build())
}

fn transact(
    world: &mut World,
    put: &aws_sdk_dynamodb::types::Put,
) -> MockResponse<TransactWriteItemsOutput, TransactWriteItemsError> {
    let present = world.item.as_ref().map(|item| item["revision"].clone());
    let read = put.expression_attribute_values().and_then(|values| values.get(":read").cloned());
    if present == read {
        world.item = Some(put.item().clone());
        return MockResponse::Output(TransactWriteItemsOutput::builder().build());
    }
    let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
    let canceled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
    MockResponse::Error(TransactWriteItemsError::TransactionCanceledException(canceled))
}

type Function = (DocumentCache, EventBridgeGateway);

async fn read((cache, bus): &Function) -> Result<DocumentInForce, Failure> {
    cache.read(bus).await
}

/// The threshold that holds, which tells documents apart.
async fn threshold(function: &Function) -> f64 {
    read(function).await.unwrap().defaults.billing_alarm.as_ref().unwrap().threshold_usd
}

async fn cause(function: &Function) -> Cause {
    read(function).await.unwrap_err().cause
}

fn assert_is(found: f64, expected: f64) {
    assert!((found - expected).abs() < f64::EPSILON, "{found} is not {expected}");
}

#[tokio::test]
async fn a_stack_without_a_document_has_the_baseline_of_its_parameters() {
    let (_, bus) = Shared::default().cold();
    let cache = DocumentCache::of_parameters(Baseline::of_parameters("a@example.com".parse().unwrap(), 9.0));
    assert_is(threshold(&(cache, bus)).await, 9.0);
}

#[tokio::test]
async fn a_warm_function_reads_a_document_again_only_when_it_has_changed() {
    let shared = Shared::default();
    shared.upload(GOOD);
    let function = shared.cold();
    assert_is(threshold(&function).await, 7.0);
    let reads = shared.world(|world| world.reads);
    assert_is(threshold(&function).await, 7.0);
    assert_eq!(shared.world(|world| world.reads), reads + 1, "one conditional read");
    shared.upload(BETTER);
    assert_is(threshold(&function).await, 8.0);
}

#[tokio::test]
async fn a_cold_function_reads_a_document_that_is_on_record_once() {
    let shared = Shared::default();
    shared.upload(GOOD);
    threshold(&shared.cold()).await;
    let reads = shared.world(|world| world.reads);
    assert_is(threshold(&shared.cold()).await, 7.0);
    assert_eq!(shared.world(|world| world.reads), reads + 1);
}

#[tokio::test]
async fn every_function_warm_or_cold_goes_by_the_last_good_document_and_says_so() {
    let shared = Shared::default();
    shared.upload(GOOD);
    let warm = shared.cold();
    assert!(read(&warm).await.unwrap().refused.is_none());
    shared.upload(BAD);
    for function in [warm, shared.cold()] {
        for _ in 0..2 {
            let document = read(&function).await.unwrap();
            assert_is(document.defaults.billing_alarm.as_ref().unwrap().threshold_usd, 7.0);
            let refused = document.refused.unwrap();
            assert_eq!((refused.version.as_deref(), refused.in_force.as_deref()), (Some("v2"), Some("v1")));
            assert!(refused.in_words().contains("version v1 holds") && refused.in_words().contains("unknown"));
        }
    }
    let published = shared.published();
    assert_eq!(published.len(), 2, "once by each function");
    assert_eq!((published[0].problem_count, published[0].refusal.in_force.as_deref()), (2, Some("v1")));
}

#[tokio::test]
async fn a_correction_comes_into_force_everywhere() {
    let shared = Shared::default();
    for text in [GOOD, BAD] {
        shared.upload(text);
    }
    let function = shared.cold();
    assert_eq!(cause(&function).await, Cause::BaselineDocumentRefused, "the good one was never read");
    shared.upload(BETTER);
    assert_is(threshold(&function).await, 8.0);
    shared.upload(BAD);
    let document = read(&shared.cold()).await.unwrap();
    assert_eq!(document.refused.unwrap().in_force.as_deref(), Some("v3"));
}

#[tokio::test]
async fn the_first_document_ever_fails_with_its_problems_when_it_is_wrong() {
    let shared = Shared::default();
    shared.upload(BAD);
    let function = shared.cold();
    for _ in 0..2 {
        let failure = read(&function).await.unwrap_err();
        assert_eq!(failure.cause, Cause::BaselineDocumentRefused);
        assert!(failure.message.contains("version") && failure.message.contains("unknown"), "{failure}");
    }
    assert_eq!(shared.published().len(), 1);
    assert_eq!(shared.world(|world| world.item.clone()), None, "what was not valid is not recorded");
}

#[tokio::test]
async fn a_last_good_version_that_is_gone_is_said_with_what_to_do() {
    let shared = Shared::default();
    shared.upload(GOOD);
    threshold(&shared.cold()).await;
    shared.upload(BAD);
    shared.world(|world| world.versions[0] = None);
    let failure = read(&shared.cold()).await.unwrap_err();
    assert_eq!(failure.cause, Cause::BaselineDocumentLost);
    assert!(failure.message.contains("v1") && failure.message.contains("unknown"), "{failure}");
}

#[tokio::test]
async fn a_document_that_is_missing_or_cannot_be_read_is_a_failure_even_if_there_was_one() {
    let shared = Shared::default();
    assert_eq!(cause(&shared.cold()).await, Cause::BaselineDocumentMissing);
    shared.upload(GOOD);
    let function = shared.cold();
    assert_is(threshold(&function).await, 7.0);
    shared.world(|world| world.is_deleted = true);
    assert_eq!(cause(&function).await, Cause::BaselineDocumentMissing);
    shared.world(|world| (world.is_deleted, world.is_denied) = (false, true));
    assert_eq!(cause(&function).await, Cause::AccessDenied);
    shared.world(|world| world.is_denied = false);
    assert_is(threshold(&function).await, 7.0);
}

#[tokio::test]
async fn a_document_that_only_another_version_of_the_code_takes_is_not_passed_over_for_an_older_one() {
    let shared = Shared::default();
    shared.upload(GOOD);
    let warm = shared.cold();
    threshold(&warm).await;
    shared.upload(BAD);
    // The other version has taken the newest document.
    shared.world(|world| {
        let item = world.item.as_mut().unwrap();
        item.insert("version".to_owned(), AttributeValue::S("v2".to_owned()));
        item.insert("etag".to_owned(), AttributeValue::S("\"2\"".to_owned()));
    });
    let failure = read(&warm).await.unwrap_err();
    assert_eq!(failure.cause, Cause::BaselineDocumentRefused);
    assert!(failure.message.contains("Another version of Steward"), "{failure}");
}

#[tokio::test]
async fn a_slow_reader_does_not_put_an_older_version_back() {
    let shared = Shared::default();
    shared.upload(GOOD);
    let slow = shared.cold();
    let DocumentCache(Kind::Stored(stored)) = &slow.0 else { panic!() };
    let mut held = Held::default();
    stored.look(&mut held).await.unwrap();
    // Another one reads and records a newer version before the slow one gets to its record.
    shared.upload(BETTER);
    assert_is(threshold(&shared.cold()).await, 8.0);
    assert!(!stored.record(&held).await.unwrap());
    let recorded = shared.world(|world| world.item.clone()).unwrap();
    assert_eq!(recorded["version"], AttributeValue::S("v2".to_owned()));
    // One that has read the record before it was replaced is refused by the table.
    let old = LastGood {
        key: "baseline.yaml".to_owned(),
        version: Some("v1".to_owned()),
        etag: "\"1\"".to_owned(),
        revision: 0,
    };
    assert!(!stored.record.replace(None, old).await.unwrap());
}
