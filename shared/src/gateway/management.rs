//! The gateways of the management account: what AWS counts for it as a whole, and what it has for all accounts.

use aws_config::SdkConfig;

use super::{AccountGateway, OrganizationsGateway, Roster, StackSetsGateway, rate_limiter::Rates};

/// The doors to AWS Organizations and AWS Account Management, with the share of their rates that this process takes.
/// A process has one of each, from [`crate::runtime::settings::Settings::management`], and whoever needs one gets a clone of it:
/// only clones keep to the share together.
#[derive(Clone, Debug)]
pub struct Management {
    /// AWS Organizations.
    pub organizations: OrganizationsGateway,
    /// AWS Account Management.
    pub accounts: AccountGateway,
    /// Stack sets of AWS CloudFormation.
    pub stack_sets: StackSetsGateway,
}

impl Management {
    /// Gateways with clients of their own, which take this much of the rates. With a roster, the accounts are those of the
    /// roster, and nobody asks AWS Organizations.
    pub(crate) fn of(config: &SdkConfig, rates: &Rates, roster: Option<Roster>) -> Self {
        let organization = || OrganizationsGateway::of(config, rates);
        Self {
            organizations: roster.map_or_else(organization, OrganizationsGateway::of_roster),
            accounts: AccountGateway::of(config, rates),
            stack_sets: StackSetsGateway::of(config),
        }
    }
}
