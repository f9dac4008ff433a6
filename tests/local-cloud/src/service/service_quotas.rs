//! The part of Service Quotas that MiniStack lacks: the template of an organization. New accounts do not get what it says.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::front::answer::{ApiError, json_ok};
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};

/// The principal that an organization trusts so that there is a template.
const PRINCIPAL: &str = "servicequotas.amazonaws.com";
/// The most entries of a template.
const MOST: usize = 10;

/// The templates, by the management account.
#[derive(Default)]
pub(crate) struct ServiceQuotas {
    templates: Mutex<HashMap<String, Template>>,
}

/// The entries by service, quota and region, and whether they count.
#[derive(Default)]
struct Template {
    entries: BTreeMap<[String; 3], f64>,
    is_associated: bool,
}

impl Service for ServiceQuotas {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "servicequotas"
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context)
    }
}

impl ServiceQuotas {
    fn perform(&self, context: &Context<'_>) -> Answered {
        let (request, account) = (context.request, &context.caller.account);
        let membership = context.core.services.organizations.membership(account);
        let membership = membership
            .filter(|it| it.management == *account)
            .ok_or_else(|| refused("NoAvailableOrganizationException"))?;
        if !membership.trusts(PRINCIPAL) {
            return Err(refused("AWSServiceAccessNotEnabledException"));
        }
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        let template = templates.entry(account.clone()).or_default();
        let answer = match request.operation.as_str() {
            "GetAssociationForServiceQuotaTemplate" => {
                let status = if template.is_associated { "ASSOCIATED" } else { "DISASSOCIATED" };
                json!({ "ServiceQuotaTemplateAssociationStatus": status })
            }
            "AssociateServiceQuotaTemplate" => {
                template.is_associated = true;
                json!({})
            }
            "ListServiceQuotaIncreaseRequestsInTemplate" => {
                let rows: Vec<_> = template.entries.iter().map(|(of, value)| entry(of, *value)).collect();
                json!({ "ServiceQuotaIncreaseRequestInTemplateList": rows })
            }
            "PutServiceQuotaIncreaseRequestIntoTemplate" => {
                let text = |name: &str| request.text(name).map(ToOwned::to_owned);
                let of = [text("ServiceCode"), text("QuotaCode"), text("AwsRegion")];
                let [Some(service), Some(quota), Some(region)] = of else {
                    return Err(refused("IllegalArgumentException"));
                };
                let value =
                    request.input["DesiredValue"].as_f64().ok_or_else(|| refused("IllegalArgumentException"))?;
                let of = [service, quota, region];
                if !template.entries.contains_key(&of) && template.entries.len() >= MOST {
                    return Err(refused("QuotaExceededException"));
                }
                let answer = entry(&of, value);
                template.entries.insert(of, value);
                json!({ "ServiceQuotaIncreaseRequestInTemplate": answer })
            }
            other => {
                let message = format!("The local cloud does not know {other}.");
                return Err(ApiError::new(400, "UnknownOperationException", message));
            }
        };
        Ok(json_ok(request.protocol, &answer))
    }
}

fn entry([service, quota, region]: &[String; 3], value: f64) -> Value {
    json!({ "ServiceCode": service, "QuotaCode": quota, "AwsRegion": region, "DesiredValue": value, "GlobalQuota": false })
}

fn refused(code: &str) -> ApiError {
    ApiError::new(400, code, "Service Quotas does not take that.")
}
