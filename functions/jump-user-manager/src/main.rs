//! The Lambda function `jump-user-manager`.

use jump_user_manager::JumpUserManager;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    steward::runtime::start::serve(JumpUserManager::NAME, JumpUserManager::new, JumpUserManager::handle).await
}
