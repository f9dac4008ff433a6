//! Functions that take more of the published rates than the template gives them.

use local_cloud::AwsError;
use serde_json::{Value, json};

use crate::Stack;

impl Stack {
    /// Lets every function take so many times its share, as somebody does whose quotas AWS has raised. In a cloud whose
    /// time runs faster, so do its quotas.
    pub async fn raise_rates(&self, times: f64) -> Result<(), AwsError> {
        for output in self.functions() {
            let mut environment = self.configuration(output).await?["Environment"].clone();
            if raise(&mut environment["Variables"], times) {
                self.configure(output, &json!({ "Environment": environment })).await?;
            }
        }
        Ok(())
    }
}

/// Multiplies the shares; false when there are none.
fn raise(variables: &mut Value, times: f64) -> bool {
    let raised =
        |share: &str| share.parse().map_or_else(|_| share.to_owned(), |share: f64| (share * times).to_string());
    let mut is_raised = false;
    if let Some(share) = variables["RATE_SHARE"].as_str() {
        variables["RATE_SHARE"] = raised(share).into();
        is_raised = true;
    }
    if let Some(shares) = variables["RATE_SHARES"].as_str() {
        let pair = |pair: &str| {
            let (operation, share) = pair.split_once(' ').unwrap_or((pair, ""));
            format!("{operation} {}", raised(share))
        };
        variables["RATE_SHARES"] = shares.split(',').map(pair).collect::<Vec<_>>().join(",").into();
        is_raised = true;
    }
    is_raised
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_share_is_raised_and_nothing_else() {
        let mut variables =
            json!({"RATE_SHARE": "0.5", "RATE_SHARES": "ListRoots 0.25,ListAccounts 1", "TABLE_NAME": "t"});
        assert!(raise(&mut variables, 4.0));
        let raised = json!({"RATE_SHARE": "2", "RATE_SHARES": "ListRoots 1,ListAccounts 4", "TABLE_NAME": "t"});
        assert_eq!(variables, raised);
        assert!(!raise(&mut json!({"TABLE_NAME": "t"}), 4.0));
    }
}
