//! The services that the front answers itself, one folder or file each.

mod access_analyzer;
pub(crate) mod account;
mod billing;
mod cost_explorer;
pub(crate) mod organizations;
pub(crate) mod root_access;
mod s3_control;
mod service_quotas;
pub(crate) mod simulated;
mod stack_sets;
mod tagging;
mod uxc;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use crate::core::Core;
use crate::front::actions;
use crate::front::answer::ApiError;
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::identity::Caller;
use crate::quota::Rate;
use access_analyzer::AccessAnalyzer;
use account::AccountManagement;
use billing::Billing;
use cost_explorer::CostExplorer;
use organizations::Organizations;
use root_access::RootAccess;
use s3_control::S3Control;
use service_quotas::ServiceQuotas;
use simulated::Simulated;
use stack_sets::StackSets;
use tagging::Tagging;
use uxc::Uxc;

/// What is answered.
pub(crate) type Answered = Result<Response<Bytes>, ApiError>;

/// An authenticated and authorised request.
pub(crate) struct Context<'a> {
    pub(crate) core: Arc<Core>,
    pub(crate) request: &'a Incoming,
    pub(crate) caller: Caller,
}

/// One service, or a part of one, that MiniStack lacks.
pub(crate) trait Service: Send + Sync {
    /// Whether this service answers the request; otherwise it is forwarded to MiniStack.
    fn claims(&self, request: &Incoming) -> bool;

    /// What IAM must allow, resource by resource: where the service has no resources, each action as a whole.
    fn needs(&self, _: &Core, request: &Incoming) -> Vec<Need> {
        actions::needed(request).into_iter().map(|action| Need::new(action, "*")).collect()
    }

    /// The published rate of an operation, where AWS publishes one.
    fn rate(&self, _: &str) -> Option<Rate> {
        None
    }

    /// Does what is asked.
    fn answer(&self, context: &Context<'_>) -> Answered;
}

/// Every service the front answers. A new one is added here and nowhere else.
#[derive(Default)]
pub(crate) struct Services {
    access_analyzer: AccessAnalyzer,
    pub(crate) account: AccountManagement,
    pub(crate) billing: Billing,
    pub(crate) cost_explorer: CostExplorer,
    pub(crate) organizations: Organizations,
    pub(crate) root_access: RootAccess,
    s3_control: S3Control,
    service_quotas: ServiceQuotas,
    pub(crate) simulated: Simulated,
    pub(crate) stack_sets: StackSets,
    tagging: Tagging,
    uxc: Uxc,
}

impl Services {
    /// The service that answers a request, if it is not MiniStack.
    pub(crate) fn claiming(&self, request: &Incoming) -> Option<&dyn Service> {
        // The last takes what is left of the calls in its accounts.
        let all: [&dyn Service; 12] = [
            &self.access_analyzer,
            &self.account,
            &self.billing,
            &self.cost_explorer,
            &self.organizations,
            &self.root_access,
            &self.s3_control,
            &self.service_quotas,
            &self.stack_sets,
            &self.tagging,
            &self.uxc,
            &self.simulated,
        ];
        all.into_iter().find(|service| service.claims(request))
    }
}
