//! What has to be known of the organization before a request is admitted.

use jiff::Timestamp;
use steward::{
    account_creation::{Organization, OrganizationalUnitReference, Store},
    control::organizational_unit::walk,
    error::{Cause, Failure},
    gateway::OrganizationsGateway,
    ids::OrganizationalUnitId,
};

/// The unit that a person has named: `Some(None)` when nobody named one, `None` when there is none of that name.
pub(crate) async fn find_unit(
    organizations: &OrganizationsGateway,
    reference: Option<&OrganizationalUnitReference>,
) -> Result<Option<Option<OrganizationalUnitId>>, Failure> {
    let found = match reference {
        None => return Ok(Some(None)),
        Some(OrganizationalUnitReference::Id(id)) if id.is_root() => {
            let root = organizations.find_root().await?;
            (root == *id).then_some(root)
        }
        Some(OrganizationalUnitReference::Id(id)) => {
            organizations.find_organizational_unit(id).await?.map(|unit| unit.id)
        }
        Some(OrganizationalUnitReference::Path(names)) => match walk(organizations, names).await {
            Err(error) if error.cause == Cause::OrganizationalUnitNotFound => None,
            walked => Some(walked?),
        },
    };
    Ok(found.map(Some))
}

/// The organization as it is now.
pub(crate) async fn organization(
    organizations: &OrganizationsGateway,
    store: &Store,
    daily_cap: u32,
    now: Timestamp,
) -> Result<Organization, Failure> {
    Ok(Organization {
        accounts: organizations.list_accounts().await?,
        open_requests: store.open_requests().await?,
        admitted_today: store.admitted_on_day_of(now).await?,
        daily_cap,
        lacks_unit: false,
    })
}
