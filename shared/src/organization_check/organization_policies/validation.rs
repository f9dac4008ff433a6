//! What AWS itself finds in a policy before it is written.

use super::{
    Content, OrganizationScope, Seen,
    content::{says_statements, statement_name},
};
use crate::{
    error::Cause,
    gateway::{CallError, FindingWeight, PolicyFinding},
    policy_document::one_or_many,
};

/// How many findings of a policy are told.
const TOLD: usize = 10;

/// Has IAM Access Analyzer look at every policy of statements that would be made or changed, one after the other: AWS
/// publishes no rate for it. What it does not take is refused in its words; what it only warns of is told. Where the call is
/// denied, that is told, and Steward's own checks have decided.
pub(super) async fn validate(scope: &OrganizationScope, policies: &mut [Seen]) -> Result<(), CallError> {
    let mut is_denied = false;
    for seen in policies.iter_mut().filter(|seen| says_statements(seen.kind)) {
        let Ok(wanted) = &seen.wanted else { continue };
        if seen.write(wanted).is_none() {
            continue;
        }
        let (kind, name) = (seen.kind, &seen.name);
        let not_asked = || {
            format!(
                "IAM Access Analyzer was not asked about the {kind} {name}, for access-analyzer:ValidatePolicy was denied: \
                 Steward's own checks alone decide."
            )
        };
        if is_denied {
            seen.notes.push(not_asked());
            continue;
        }
        match scope.read.access_analyzer.validate_policy(kind, wanted.text()).await {
            Ok(found) => {
                let found = found.unwrap_or_default();
                let warnings = found.iter().filter(|it| it.weight == FindingWeight::Warning).take(TOLD);
                let warnings: Vec<_> = warnings.map(|it| format!("{kind} {name}: {}", in_words(wanted, it))).collect();
                let refused = found.iter().filter(|it| refuses(it.weight)).take(TOLD);
                let refused: Vec<_> = refused.map(|it| in_words(wanted, it)).collect();
                seen.notes.extend(warnings);
                if !refused.is_empty() {
                    seen.wanted = Err(refused);
                }
            }
            Err(error) if error.cause == Cause::AccessDenied => {
                is_denied = true;
                seen.notes.push(not_asked());
            }
            Err(error) if error.cause == Cause::InputRefused => {
                seen.wanted = Err(vec![format!("IAM Access Analyzer cannot read it: {}", error.detail)]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn refuses(weight: FindingWeight) -> bool {
    matches!(weight, FindingWeight::Error | FindingWeight::SecurityWarning)
}

/// A finding, with the statement that it is about.
fn in_words(content: &Content, finding: &PolicyFinding) -> String {
    let PolicyFinding { code, words, more, .. } = finding;
    let statements = one_or_many(&content.value()["Statement"]);
    let of = finding.statement.and_then(|position| Some(statement_name(position, statements.get(position)?)));
    let of = of.map(|name| format!(" in {name}")).unwrap_or_default();
    format!("IAM Access Analyzer finds{of}: {words} ({code}, {more})")
}
