//! The one cloud that all tests share, and the stacks in it.

use std::time::Duration;

use harness::{Listener, Mailbox, Package, Progress, Stack, deploy, eventually};
use local_cloud::{AwsClient, Fault, FaultGuard, LocalCloud, Options, Organization};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How long anything may take before a test fails: longer than most queues hide a message, so that one whose first delivery
/// fell to a machine that was too busy is there a second time.
pub(crate) const PATIENCE: Duration = Duration::from_mins(7);

/// Where most tests play: an account takes a second, and the rate of `CreateAccount` is two a second.
static FAST: World = World::new(20.0, "tests.log");
/// Where time and rates are those of AWS.
static REAL_TIME: World = World::new(1.0, "real-time.log");
/// The name of a world's own stack, and the start of the others' names.
const STACK: &str = "steward";

/// A cloud that is so many times as fast as AWS, its quotas with it, and the stack in it that the SAM CLI deploys. The
/// others are copies of it.
struct World {
    time_scale: f64,
    log: &'static str,
    cloud: OnceCell<LocalCloud>,
    original: OnceCell<Organization>,
    package: OnceCell<Package>,
}

/// The services that the functions need to be trusted.
pub(crate) const TRUSTED: [&str; 4] = [
    "account.amazonaws.com",
    "iam.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
];

/// An organization with a stack in it.
pub(crate) struct Scenario {
    pub(crate) cloud: &'static LocalCloud,
    pub(crate) organization: Organization,
    pub(crate) stack: Stack,
}

impl Scenario {
    /// The stack for tests that need no settings of their own: they keep apart by their e-mail addresses.
    pub(crate) async fn shared() -> Self {
        FAST.original().await
    }

    /// An organization and a stack for one test alone: a copy of the shared one.
    pub(crate) async fn own(parameters: &[(&str, &str)]) -> Self {
        FAST.copy(FAST.organization(0).await, parameters).await
    }

    /// An organization with so many accounts beside the usual one, in `/Workloads/Sandbox`, and this baseline document.
    pub(crate) async fn with_members(members: usize, document: &str) -> Self {
        Self::with_members_and(members, document, &[]).await
    }

    /// An organization with so many accounts in which there is nothing, and this baseline document.
    pub(crate) async fn with_simulated_members(members: usize, document: &str) -> Self {
        let cloud = FAST.cloud().await;
        let builder = cloud.organization(&cloud.new_account_id()).unit("/Workloads/Sandbox").account_limit(20_000);
        let builder = builder.root_access().simulated_members(members, "/Workloads", None);
        let organization = builder.create().await.expect("an organization can be made");
        // Nobody here reads CloudTrail's records.
        organization.set_records(0, Duration::ZERO);
        let scenario = FAST.copy(organization, &[("BaselineKey", "baseline.yaml")]).await;
        scenario.put_document(document).await;
        scenario
    }

    /// The same, with these parameters of the stack.
    pub(crate) async fn with_members_and(members: usize, document: &str, parameters: &[(&str, &str)]) -> Self {
        let parameters = [&[("BaselineKey", "baseline.yaml")], parameters].concat();
        let scenario = FAST.copy(FAST.organization(members).await, &parameters).await;
        scenario.put_document(document).await;
        scenario
    }

    /// An organization with so many accounts beside the usual one, in `/Workloads/Sandbox`, and a stack that closes accounts: in
    /// `/Suspended` everything is denied, and there they wait so many days. This baseline document is in force.
    pub(crate) async fn that_closes(members: usize, cooling_off_days: &str, document: &str) -> Self {
        Self::that_closes_and(members, cooling_off_days, document, &[]).await
    }

    /// The same, with these parameters of the stack beside them.
    pub(crate) async fn that_closes_and(
        members: usize,
        cooling_off_days: &str,
        document: &str,
        parameters: &[(&str, &str)],
    ) -> Self {
        let organization = FAST.organization(members).await;
        let unit = FAST.suspended_unit(&organization).await;
        let own = [("BaselineKey", "baseline.yaml"), ("SuspendedUnitId", &unit), ("CoolingOffDays", cooling_off_days)];
        let parameters = [&own, parameters].concat();
        let scenario = FAST.copy(organization, &parameters).await;
        scenario.organization.deny_everything_in("/Suspended", true);
        scenario.put_document(document).await;
        scenario
    }

    /// An organization with so many accounts in `/Workloads/Sandbox`, and a stack whose parameter `UpdatableUnits` names that
    /// unit alone.
    pub(crate) async fn that_updates_the_sandbox(members: usize, parameters: &[(&str, &str)]) -> Self {
        let organization = FAST.organization(members).await;
        let unit = |path: &str| organization.unit_id(path).expect("a unit");
        let (above, sandbox) = (unit("/Workloads"), unit("/Workloads/Sandbox"));
        let units = format!("{}/{}/{above}/{sandbox}/*", organization.id(), organization.root_id());
        let parameters = [&[("UpdatableUnits", units.as_str())], parameters].concat();
        FAST.copy(organization, &parameters).await
    }

    /// An organization and a stack whose parameter of this name is the organization's member, and this baseline document.
    pub(crate) async fn with_member_as(parameter: &str, document: &str) -> Self {
        Self::with_member_as_each(&[parameter], document, &[]).await
    }

    /// The same of several parameters, with these others beside them. The stack has a unit for accounts that are to be closed,
    /// which do not cool off.
    pub(crate) async fn with_member_as_each(named: &[&str], document: &str, parameters: &[(&str, &str)]) -> Self {
        let organization = FAST.organization(0).await;
        let (member, unit) = (member(&organization), FAST.suspended_unit(&organization).await);
        let named = named.iter().map(|parameter| (*parameter, member.as_str()));
        let others = [("BaselineKey", "baseline.yaml"), ("SuspendedUnitId", unit.as_str()), ("CoolingOffDays", "0")];
        let parameters: Vec<_> = named.chain(others).chain(parameters.to_vec()).collect();
        let scenario = FAST.copy(organization, &parameters).await;
        scenario.put_document(document).await;
        scenario
    }

    /// An organization and a stack whose parameter of this name is the organization's management account.
    pub(crate) async fn with_management_account_as(parameter: &str) -> Self {
        let organization = FAST.organization(0).await;
        let account = organization.management_account().to_owned();
        FAST.copy(organization, &[(parameter, account.as_str())]).await
    }

    /// An organization with so many accounts in `/Workloads/Sandbox`, and a stack in it, where time and rates are those of
    /// AWS.
    pub(crate) async fn at_real_time(members: usize, parameters: &[(&str, &str)]) -> Self {
        REAL_TIME.copy(REAL_TIME.organization(members).await, parameters).await
    }

    /// An organization that nobody has prepared: no trusted access, no root features.
    pub(crate) fn unprepare(&self) {
        self.organization.set_root_access(false);
        for principal in TRUSTED {
            self.organization.set_trusted_access(principal, false);
        }
    }

    /// An organization and a stack with this baseline document.
    pub(crate) async fn with_document(document: &str) -> Self {
        let scenario = Self::own(&[("BaselineKey", "baseline.yaml")]).await;
        scenario.put_document(document).await;
        scenario
    }

    /// What the functions of this stack have called since then. Other stacks are at work in the same cloud.
    pub(crate) fn calls_since(&self, sequence: u64) -> local_cloud::Calls {
        self.cloud.calls().since(sequence).by_account(self.organization.management_account())
    }

    /// The account that the organization has from the start, in `/Workloads`.
    pub(crate) fn member(&self) -> String {
        member(&self.organization)
    }

    /// Puts a fault in force in this organization alone: others are at work in the same cloud.
    #[must_use = "the fault ends with the guard"]
    pub(crate) fn fault(&self, fault: Fault) -> FaultGuard {
        self.organization.fault(fault)
    }

    /// Puts another baseline document in place of the present one.
    pub(crate) async fn put_document(&self, document: &str) {
        self.stack.put_document(document).await.expect("the document can be written");
    }

    /// Receives what the stack publishes from now on.
    pub(crate) async fn listen(&self, name: &str) -> Listener {
        Listener::new(&self.stack, name).await.expect("a listener can be made")
    }

    /// Gets the stack's mails from now on.
    pub(crate) async fn mailbox(&self, name: &str) -> Mailbox {
        Mailbox::new(&self.stack, name).await.expect("a mailbox can be made")
    }

    /// A session of a new role with every permission in an account.
    pub(crate) async fn administrator(&self, account: &str, role: &str, session: &str) -> AwsClient {
        let policy =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        self.person(account, role, session, &policy.to_string()).await
    }

    /// A session of a new role with this policy alone in an account.
    pub(crate) async fn person(&self, account: &str, role: &str, session: &str, policy: &str) -> AwsClient {
        let root = self.cloud.client(account);
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]});
        let input = [("RoleName", role), ("AssumeRolePolicyDocument", &trust.to_string())];
        root.query("iam", "CreateRole", "2010-05-08", &input).await.expect("a role");
        let input = [("RoleName", role), ("PolicyName", "person"), ("PolicyDocument", policy)];
        root.query("iam", "PutRolePolicy", "2010-05-08", &input).await.expect("a policy");
        root.assume_role(&format!("arn:aws:iam::{account}:role/{role}"), session, None).await.expect("a session")
    }

    /// Sends a request by hand; answers with its id.
    pub(crate) async fn request(&self, spec: &Value) -> String {
        let answer = self.stack.request(spec).await.expect("the requester answers");
        answer["request_id"].as_str().unwrap_or_else(|| panic!("not admitted: {answer}")).to_owned()
    }

    /// Waits until a request has ended and its end was announced.
    pub(crate) async fn end_of(&self, request_id: &str) -> Progress {
        let mut last = None;
        let end = harness::within(PATIENCE, async || {
            let progress = Progress::of(&self.stack, request_id).await.expect("the record can be read")?;
            last = Some(progress.record.clone());
            progress.is_over().then_some(progress)
        })
        .await;
        end.unwrap_or_else(|| panic!("no end of {request_id}: {last:?}"))
    }

    /// Waits until a request is in a state.
    pub(crate) async fn reaches(&self, request_id: &str, state: &str) -> Progress {
        eventually(&format!("{request_id} to be {state}"), PATIENCE, async || {
            let progress = Progress::of(&self.stack, request_id).await.expect("the record can be read")?;
            (progress.state() == state).then_some(progress)
        })
        .await
    }

    /// How many accounts have this address.
    pub(crate) fn accounts_made_for(&self, email: &str) -> usize {
        let made = |request: &&local_cloud::CreationRequest| request.email == email && request.account_id.is_some();
        self.organization.requests().iter().filter(made).count()
    }
}

/// So many plain accounts without an organization, and a stack in the first of them, which takes them from its document.
pub(crate) async fn plain_accounts(
    count: usize,
    parameters: impl FnOnce(&[String]) -> Vec<(&'static str, String)>,
) -> (&'static LocalCloud, Stack, Vec<String>) {
    let cloud = FAST.cloud().await;
    let accounts: Vec<String> = (0..count).map(|_| cloud.new_account_id()).collect();
    let own = &accounts[0];
    let named = parameters(&accounts);
    let mut parameters = vec![("BaselineKey", "baseline.yaml"), ("AccountSource", "document"), ("JumpAccountId", own)];
    parameters.extend(named.iter().map(|(name, value)| (*name, value.as_str())));
    let stack = FAST.deploy(own, &parameters).await;
    (cloud, stack, accounts)
}

/// A spec for an account of this name.
pub(crate) fn spec(name: &str) -> Value {
    json!({"account_name": name, "email": email(name)})
}

/// The address that belongs to a name.
pub(crate) fn email(name: &str) -> String {
    format!("aws+{}@example.com", name.to_ascii_lowercase().replace(' ', "-"))
}

fn member(organization: &Organization) -> String {
    let email = format!("shop@{}.example.com", organization.management_account());
    organization.account_with_email(&email).expect("every organization has one")
}

impl World {
    const fn new(time_scale: f64, log: &'static str) -> Self {
        Self {
            time_scale,
            log,
            cloud: OnceCell::const_new(),
            original: OnceCell::const_new(),
            package: OnceCell::const_new(),
        }
    }

    async fn cloud(&'static self) -> &'static LocalCloud {
        self.cloud
            .get_or_init(async || {
                let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.local-cloud"));
                std::fs::create_dir_all(folder).expect("the folder of the log can be made");
                let log = Some(folder.join(self.log));
                let options = Options { time_scale: self.time_scale, log, ..Options::default() };
                tokio::task::spawn_blocking(|| LocalCloud::start(options).expect("the local cloud starts"))
                    .await
                    .expect("the local cloud starts")
            })
            .await
    }

    async fn organization(&'static self, members: usize) -> Organization {
        let cloud = self.cloud().await;
        let management_account = cloud.new_account_id();
        let mut builder = cloud
            .organization(&management_account)
            .unit("/Workloads/Sandbox")
            .member(&cloud.new_account_id(), "Shop", &format!("shop@{management_account}.example.com"), "/Workloads")
            .account_limit(1000)
            .root_access();
        for n in 0..members {
            let email = format!("team-{n}@{management_account}.example.com");
            builder = builder.member(&cloud.new_account_id(), &format!("Team {n}"), &email, "/Workloads/Sandbox");
        }
        builder.create().await.expect("an organization can be made")
    }

    /// Makes the unit `/Suspended` in an organization.
    async fn suspended_unit(&'static self, organization: &Organization) -> String {
        let client = self.cloud().await.client(organization.management_account());
        let input = json!({"ParentId": organization.root_id(), "Name": "Suspended"});
        let answer = client.json("organizations", "CreateOrganizationalUnit", input).await.expect("a unit");
        answer["OrganizationalUnit"]["Id"].as_str().expect("an id").to_owned()
    }

    /// The stack that the SAM CLI deploys, once.
    async fn original(&'static self) -> Scenario {
        let cloud = self.cloud().await;
        let organization = self
            .original
            .get_or_init(async || {
                let organization = self.organization(0).await;
                let cap = [("MaxAccountsPerDay", "5000")];
                let account = organization.management_account();
                let stack = deploy(cloud, account, STACK, &cap).await.expect("the stack can be deployed");
                stack.raise_rates(self.time_scale).await.expect("the functions can be configured");
                organization
            })
            .await;
        // A client belongs to the runtime of its test.
        let client = cloud.client(organization.management_account());
        let stack = Stack::read(client, STACK).await.expect("the shared stack can be read");
        Scenario { cloud, organization: organization.clone(), stack }
    }

    /// A stack like it for this organization alone.
    async fn copy(&'static self, organization: Organization, parameters: &[(&str, &str)]) -> Scenario {
        let organization_id = organization.id();
        let mut parameters = parameters.to_vec();
        parameters.push(("OrganizationId", &organization_id));
        let stack = self.deploy(organization.management_account(), &parameters).await;
        Scenario { cloud: self.cloud().await, organization, stack }
    }

    /// A stack like it in this account.
    async fn deploy(&'static self, account: &str, parameters: &[(&str, &str)]) -> Stack {
        let package = self.package.get_or_try_init(async || Package::of(&self.original().await.stack).await);
        let package = package.await.expect("what the shared stack runs");
        let stack = package.deploy(self.cloud().await, account, &format!("{STACK}-{account}"), parameters).await;
        let stack = stack.expect("the stack can be deployed");
        stack.raise_rates(self.time_scale).await.expect("the functions can be configured");
        stack
    }
}
