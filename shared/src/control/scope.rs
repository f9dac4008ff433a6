//! Everything that a control may touch in one account.

use aws_config::SdkConfig;

use crate::{
    gateway::{CloudWatchGateway, SnsGateway},
    ids::AccountId,
};

/// One account, entered through a session.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The account.
    pub account_id: AccountId,
    /// Its alarms, in us-east-1.
    pub cloudwatch: CloudWatchGateway,
    /// Its topics, in us-east-1.
    pub sns: SnsGateway,
}

impl Scope {
    /// The scope of an account, with the configuration of a session in it.
    pub fn new(account_id: AccountId, session: &SdkConfig) -> Self {
        Self { account_id, cloudwatch: CloudWatchGateway::of(session), sns: SnsGateway::of(session) }
    }
}
