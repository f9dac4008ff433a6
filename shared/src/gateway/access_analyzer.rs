//! IAM Access Analyzer: what AWS itself says of a policy before it is written.

use aws_config::SdkConfig;
use aws_sdk_accessanalyzer::{
    Client,
    types::{PathElement, PolicyType, ValidatePolicyFinding, ValidatePolicyFindingType},
};

use super::{CallError, PolicyKind, one_more_page};

/// What IAM Access Analyzer has to say of a place in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFinding {
    /// How much it matters.
    pub weight: FindingWeight,
    /// Its stable name, such as `INVALID_ACTION`.
    pub code: String,
    /// What it says, in AWS's words.
    pub words: String,
    /// The statement that it is about, counted from 0, where it is about one.
    pub statement: Option<usize>,
    /// Where AWS says more about findings like this.
    pub more: String,
}

/// How much a finding matters (API reference, `ValidatePolicyFinding`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingWeight {
    /// A part of the policy has no effect.
    Error,
    /// What it allows is too much.
    SecurityWarning,
    /// It is not how policies should be written.
    Warning,
    /// A matter of style, or a weight that this version does not know.
    Suggestion,
}

/// The door to IAM Access Analyzer. What is asked here needs no analyzer, and costs nothing.
#[derive(Clone, Debug)]
pub struct AccessAnalyzerGateway(Client);

impl AccessAnalyzerGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// What AWS finds in a policy of the organization; None for types that it has no checks for.
    pub async fn validate_policy(
        &self,
        kind: PolicyKind,
        content: &str,
    ) -> Result<Option<Vec<PolicyFinding>>, CallError> {
        const OPERATION: &str = "access-analyzer:ValidatePolicy";
        let policy_type = match kind {
            PolicyKind::ServiceControlPolicy => PolicyType::ServiceControlPolicy,
            PolicyKind::ResourceControlPolicy => PolicyType::ResourceControlPolicy,
            _ => return Ok(None),
        };
        let (mut found, mut token, mut pages) = (Vec::new(), None, 0);
        loop {
            one_more_page(OPERATION, pages)?;
            let call = self.0.validate_policy().policy_type(policy_type.clone()).policy_document(content);
            let page = call.set_next_token(token).send().await.map_err(|error| CallError::of(OPERATION, error))?;
            found.extend(page.findings().iter().map(finding));
            (token, pages) = (page.next_token, pages + 1);
            if token.is_none() {
                return Ok(Some(found));
            }
        }
    }
}

fn finding(entry: &ValidatePolicyFinding) -> PolicyFinding {
    PolicyFinding {
        weight: match entry.finding_type() {
            ValidatePolicyFindingType::Error => FindingWeight::Error,
            ValidatePolicyFindingType::SecurityWarning => FindingWeight::SecurityWarning,
            ValidatePolicyFindingType::Warning => FindingWeight::Warning,
            _ => FindingWeight::Suggestion,
        },
        code: entry.issue_code().to_owned(),
        words: entry.finding_details().to_owned(),
        statement: entry.locations().iter().find_map(|location| statement(location.path())),
        more: entry.learn_more_link().to_owned(),
    }
}

/// The statement that a path leads into: `Statement`, then its number where there is a list of them.
fn statement(path: &[PathElement]) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let is_statement = matches!(first, PathElement::Value(key) | PathElement::Key(key) if key == "Statement");
    match rest.first() {
        Some(PathElement::Index(number)) if is_statement => usize::try_from(*number).ok(),
        _ => is_statement.then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::closed_set::ClosedSet;
    use crate::error::Cause;

    /// What AWS answers on the wire, page by page.
    async fn found(
        kind: PolicyKind,
        pages: &'static [(u16, &'static str)],
    ) -> Result<Option<Vec<PolicyFinding>>, CallError> {
        let answer = |(status, body): &(u16, &'static str)| {
            let (status, body) = (*status, *body);
            mock!(Client::validate_policy)
                .match_requests(move |input| input.policy_type().map(PolicyType::as_str) == Some(kind.name()))
                .then_http_response(move || {
                    let mut answer = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
                    if status != 200 {
                        answer.headers_mut().insert("x-amzn-errortype", "AccessDeniedException");
                    }
                    answer
                })
        };
        let rules: Vec<_> = pages.iter().map(answer).collect();
        let rules: Vec<_> = rules.iter().collect();
        let client = mock_client!(aws_sdk_accessanalyzer, RuleMode::Sequential, &rules);
        AccessAnalyzerGateway::new(client).validate_policy(kind, "{}").await
    }

    const ONE: &str = r#"{"nextToken": "2", "findings": [{"findingDetails": "The action a:B does not exist.",
        "findingType": "ERROR", "issueCode": "INVALID_ACTION", "learnMoreLink": "https://docs.aws.amazon.com/x",
        "locations": [{"path": [{"value": "Statement"}, {"index": 1}, {"value": "Action"}, {"index": 0}],
        "span": {"start": {"line": 1, "column": 1, "offset": 1}, "end": {"line": 1, "column": 9, "offset": 9}}}]}]}"#;
    const TWO: &str = r#"{"findings": [{"findingDetails": "Add a version.", "findingType": "WARNING",
        "issueCode": "MISSING_VERSION", "learnMoreLink": "https://docs.aws.amazon.com/y", "locations": [{"path": []}]}]}"#;

    #[tokio::test]
    async fn findings_of_all_pages_are_told_with_their_statement_and_weight() {
        let found = found(PolicyKind::ServiceControlPolicy, &[(200, ONE), (200, TWO)]).await.unwrap().unwrap();
        let seen: Vec<_> = found.iter().map(|it| (it.weight, it.code.as_str(), it.statement)).collect();
        let expected =
            [(FindingWeight::Error, "INVALID_ACTION", Some(1)), (FindingWeight::Warning, "MISSING_VERSION", None)];
        assert_eq!(seen, expected);
        assert_eq!(found[0].words, "The action a:B does not exist.");
    }

    #[tokio::test]
    async fn types_that_aws_has_no_checks_for_are_not_asked_about_and_a_denial_is_an_error() {
        assert_eq!(found(PolicyKind::TagPolicy, &[]).await.unwrap(), None);
        let denied = found(PolicyKind::ResourceControlPolicy, &[(403, r#"{"message": "no"}"#)]).await.unwrap_err();
        assert_eq!(denied.cause, Cause::AccessDenied);
    }

    #[test]
    fn a_policy_of_one_statement_that_is_no_list_has_one() {
        let path = |keys: &[&str]| keys.iter().map(|key| PathElement::Value((*key).to_owned())).collect::<Vec<_>>();
        assert_eq!(statement(&path(&["Statement", "Action"])), Some(0));
        assert_eq!(statement(&path(&["Version"])), None);
        assert_eq!(statement(&[]), None);
    }
}
