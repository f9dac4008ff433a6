//! The Lambda function `organization-preparer`.

use organization_preparer::OrganizationPreparer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(OrganizationPreparer::NAME, OrganizationPreparer::new, OrganizationPreparer::handle)
        .await
}
