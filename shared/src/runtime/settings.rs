//! The settings of a function: the only reader of the environment.

use std::{cell::Cell, collections::HashSet, str::FromStr, time::Duration};

use aws_config::SdkConfig;
use jiff::SignedDuration;

use crate::{
    account_source::AccountSource,
    gateway::{Management, Rates, Roster, TaggingGateway},
    ids::{AccountId, EmailDomain, MailAddress, NotValid, OrganizationalUnitId, RoleName},
    poll_backoff::PollBackoff,
    severity::Severity,
};

/// Where settings are read from: the value of a variable, by its name.
pub type Environment = fn(&str) -> Option<String>;

thread_local! {
    static ENVIRONMENT: Cell<Environment> = const { Cell::new(of_process) };
}

/// Gives this thread settings of its own, so that one process can hold functions with different ones, as a simulation does.
pub fn set_environment(environment: Environment) {
    ENVIRONMENT.set(environment);
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What is wrong with the environment: everything at once.
#[derive(Debug, thiserror::Error)]
#[error("the function is not configured: {}", .0.join("; "))]
pub struct NotConfigured(Vec<String>);

/// The environment of a function, read variable by variable; what is wrong is kept until [`Settings::finish`].
#[derive(Debug)]
pub struct Settings {
    environment: Environment,
    problems: Vec<String>,
    management: Option<Management>,
    roster: Roster,
}

impl Settings {
    /// The settings in the environment of this process, or those that were given to this thread.
    pub fn from_environment() -> Self {
        Self::of(ENVIRONMENT.get())
    }

    fn of(environment: Environment) -> Self {
        Self { environment, problems: Vec::new(), management: None, roster: Roster::default() }
    }

    /// A variable; None when it is not set or empty.
    fn read(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// `AWS_LAMBDA_LOG_LEVEL`: what is worth a line in the log; set by Lambda.
    pub fn log_level(&self) -> Option<String> {
        self.read("AWS_LAMBDA_LOG_LEVEL")
    }

    /// `AWS_LAMBDA_LOG_FORMAT`: whether a line of the log is a JSON object; set by Lambda.
    pub fn logs_json(&self) -> bool {
        self.read("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"))
    }

    /// `METRICS_NAMESPACE`: the namespace of the stack's metrics; `Steward` when not set.
    pub fn metrics_namespace(&self) -> String {
        self.read("METRICS_NAMESPACE").unwrap_or_else(|| "Steward".to_owned())
    }

    /// `TABLE_NAME`: the table.
    pub fn table_name(&mut self) -> String {
        self.required("TABLE_NAME")
    }

    /// `JOURNAL_TABLE_NAME`: the table of what was done with power.
    pub fn journal_table_name(&mut self) -> String {
        self.required("JOURNAL_TABLE_NAME")
    }

    /// `BUS_NAME`: the event bus.
    pub fn bus_name(&mut self) -> String {
        self.required("BUS_NAME")
    }

    /// `MEMBER_BUS_ARN`: the event bus that members forward their own events to.
    pub fn member_bus_arn(&mut self) -> String {
        self.required("MEMBER_BUS_ARN")
    }

    /// `ACCOUNT_REQUEST_QUEUE_URL`: the queue of the account requester.
    pub fn account_request_queue_url(&mut self) -> String {
        self.required("ACCOUNT_REQUEST_QUEUE_URL")
    }

    /// `ACCOUNT_CREATION_QUEUE_URL`: the queue of the create-account poller.
    pub fn account_creation_queue_url(&mut self) -> String {
        self.required("ACCOUNT_CREATION_QUEUE_URL")
    }

    /// `BASELINE_QUEUE_URL`: the queue of the baseline applier.
    pub fn baseline_queue_url(&mut self) -> String {
        self.required("BASELINE_QUEUE_URL")
    }

    /// `ACCOUNT_UPDATE_QUEUE_URL`: the queue of the account updater.
    pub fn account_update_queue_url(&mut self) -> String {
        self.required("ACCOUNT_UPDATE_QUEUE_URL")
    }

    /// `EMAIL_DOMAINS`: the domains that primary e-mail addresses may be changed to, with commas between them; none when not
    /// set.
    pub fn email_domains(&mut self) -> Vec<EmailDomain> {
        let text = self.read("EMAIL_DOMAINS").unwrap_or_default();
        let mut domains = Vec::new();
        for domain in text.split(',').filter(|domain| !domain.is_empty()) {
            match domain.parse() {
                Ok(domain) => domains.push(domain),
                Err(problem) => self.problems.push(format!("EMAIL_DOMAINS has {domain:?}, which must be {problem}")),
            }
        }
        domains
    }

    /// `REGION_AUDIT_QUEUE_URL`: the queue of the region opt-in auditor.
    pub fn region_audit_queue_url(&mut self) -> String {
        self.required("REGION_AUDIT_QUEUE_URL")
    }

    /// `NOTIFICATION_QUEUE_URL`: the queue of the notifier.
    pub fn notification_queue_url(&mut self) -> String {
        self.required("NOTIFICATION_QUEUE_URL")
    }

    /// `ALERTS_TOPIC_ARN`: the topic that people have subscribed to.
    pub fn alerts_topic_arn(&mut self) -> String {
        self.required("ALERTS_TOPIC_ARN")
    }

    /// `NOTIFY_SEVERITY`: from which severity people get a mail; `warning` when not set.
    pub fn notify_severity(&mut self) -> Severity {
        let Some(text) = self.read("NOTIFY_SEVERITY") else { return Severity::Warning };
        text.parse().unwrap_or_else(|problem: NotValid| {
            self.problems.push(format!("NOTIFY_SEVERITY must be {problem}"));
            Severity::Warning
        })
    }

    /// `REPLAY_QUEUES`: the queues with dead letters, `<name> <url of the dead letters> <url of the queue>` each, with
    /// commas between them.
    pub fn replay_routes(&mut self) -> Vec<[String; 3]> {
        let text = self.required("REPLAY_QUEUES");
        let mut routes = Vec::new();
        for entry in text.split(',').filter(|entry| !entry.is_empty()) {
            match entry.split(' ').collect::<Vec<_>>()[..] {
                [name, dead_letters, queue] => routes.push([name, dead_letters, queue].map(ToOwned::to_owned)),
                _ => self.problems.push(format!("REPLAY_QUEUES must be names with two URLs each, and has {entry:?}")),
            }
        }
        routes
    }

    /// `UNDELIVERABLE_URL`: the queue of undeliverable events and failed invocations.
    pub fn undeliverable_url(&mut self) -> String {
        self.required("UNDELIVERABLE_URL")
    }

    /// `REPLAY_FUNCTIONS`: the functions that rules and schedules invoke, `<name> <ARN>` each, with commas between them.
    pub fn replay_functions(&mut self) -> Vec<(String, String)> {
        let text = self.required("REPLAY_FUNCTIONS");
        self.pairs("REPLAY_FUNCTIONS", &text)
    }

    /// `<name> <value>` each, with commas between them.
    fn pairs(&mut self, variable: &str, text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for entry in text.split(',').filter(|entry| !entry.is_empty()) {
            match entry.split_once(' ') {
                Some((name, value)) => found.push((name.to_owned(), value.to_owned())),
                None => self.problems.push(format!("{variable} must be names with a value each, and has {entry:?}")),
            }
        }
        found
    }

    /// `OWN_ROLES`: the roles of this stack's functions, `<name> <ARN>` each, with commas between them.
    pub fn own_roles(&mut self) -> Vec<(String, String)> {
        let text = self.required("OWN_ROLES");
        self.pairs("OWN_ROLES", &text)
    }

    /// `OWN_ROLE_IDS`: the unique ids of the roles of this stack's functions, with commas between them.
    pub fn own_role_ids(&mut self) -> Vec<String> {
        self.required("OWN_ROLE_IDS").split(',').map(ToOwned::to_owned).collect()
    }

    /// `OWN_NAMES`: the stack's name, with which the names of its resources begin, and ids of resources that have no such
    /// name, with commas between them.
    pub fn own_names(&mut self) -> Vec<String> {
        self.required("OWN_NAMES").split(',').map(ToOwned::to_owned).collect()
    }

    /// `MAX_ACCOUNTS_PER_DAY`: how many account requests are admitted on one day (UTC); 20 when not set.
    pub fn max_accounts_per_day(&mut self) -> u32 {
        self.whole("MAX_ACCOUNTS_PER_DAY", 20)
    }

    /// `MAX_CHANGED_PERCENT`: the share of the accounts that may be changed without a word; 25 when not set.
    pub fn max_changed_percent(&mut self) -> u32 {
        self.whole("MAX_CHANGED_PERCENT", 25)
    }

    /// `BILLING_THRESHOLD_USD`: the estimated charges in US dollars at which a billing alarm goes off; 100 when not
    /// set.
    pub fn billing_threshold_usd(&mut self) -> f64 {
        self.parsed("BILLING_THRESHOLD_USD", 100.0)
    }

    /// `ALERT_EMAIL`: who gets billing alerts.
    pub fn alert_email(&mut self) -> Option<MailAddress> {
        let text = self.required("ALERT_EMAIL");
        let email: Result<MailAddress, NotValid> = text.parse();
        if let (Err(problem), false) = (&email, text.is_empty()) {
            self.problems.push(format!("ALERT_EMAIL must be {problem}"));
        }
        email.ok()
    }

    /// `ACCESS_ROLE_NAME`: the role through which member accounts are entered; `OrganizationAccountAccessRole` when
    /// not set.
    pub fn access_role_name(&mut self) -> RoleName {
        let Some(text) = self.read("ACCESS_ROLE_NAME") else { return RoleName::organization_account_access() };
        text.parse().unwrap_or_else(|problem: NotValid| {
            self.problems.push(format!("ACCESS_ROLE_NAME must be {problem}"));
            RoleName::organization_account_access()
        })
    }

    /// `PROTECTED_ACCOUNTS`: the accounts that Steward is kept out of, with commas between them; none when not set.
    pub fn protected_accounts(&mut self) -> Vec<AccountId> {
        self.accounts("PROTECTED_ACCOUNTS")
    }

    /// `JUMP_ACCOUNT_ID`: the account that people sign in to; None when not set.
    pub fn jump_account(&mut self) -> Option<AccountId> {
        self.accounts("JUMP_ACCOUNT_ID").into_iter().next()
    }

    /// `SUSPENDED_UNIT_ID`: the unit for accounts that are to be closed; None when not set.
    pub fn suspended_unit(&mut self) -> Option<OrganizationalUnitId> {
        let text = self.read("SUSPENDED_UNIT_ID")?;
        let unit: Result<OrganizationalUnitId, NotValid> = text.parse();
        match unit {
            Ok(unit) if !unit.is_root() => Some(unit),
            _ => {
                self.problems.push("SUSPENDED_UNIT_ID must be the id of a unit below the root".to_owned());
                None
            }
        }
    }

    /// `COOLING_OFF_DAYS`: how long an account waits in that unit before it is closed; 7 days when not set.
    pub fn cooling_off(&mut self) -> SignedDuration {
        const DAY: f64 = 86_400.0;
        let days: f64 = self.parsed("COOLING_OFF_DAYS", 7.0);
        SignedDuration::try_from_secs_f64(days.max(0.0) * DAY).unwrap_or(SignedDuration::MAX)
    }

    /// `CLOSURE_QUOTA_RETRY_SECONDS`: how long nobody asks AWS to close an account after it has said that the quota of 30 days
    /// is used up; an hour when not set.
    pub fn closure_quota_retry(&mut self) -> SignedDuration {
        SignedDuration::from_secs(self.whole("CLOSURE_QUOTA_RETRY_SECONDS", 3600).into())
    }

    /// `STACK_SETS_TO_LEAVE`: the stack sets that accounts are taken out of before they are closed, with commas between them;
    /// none when not set.
    pub fn stack_sets_to_leave(&mut self) -> Vec<String> {
        let text = self.read("STACK_SETS_TO_LEAVE").unwrap_or_default();
        text.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// `ASK_COST_EXPLORER`: whether AWS Cost Explorer may be asked, which costs, `yes` or `no`; no when not set.
    pub fn may_ask_cost_explorer(&mut self) -> bool {
        match self.read("ASK_COST_EXPLORER").as_deref() {
            Some("yes") => true,
            Some("no") | None => false,
            Some(other) => {
                self.problems.push(format!("ASK_COST_EXPLORER is {other:?}, which must be yes or no"));
                false
            }
        }
    }

    /// `USER_SECRETS_PATH`: what the names of the secrets begin with that keep one-time passwords, `/steward/<stack>/users/`.
    pub fn user_secrets_path(&mut self) -> String {
        self.required("USER_SECRETS_PATH")
    }

    /// `DELEGATED_ADMINISTRATORS`: the accounts that may be made delegated administrators, with commas between them; none when
    /// not set.
    pub fn delegated_administrators(&mut self) -> Vec<AccountId> {
        self.accounts("DELEGATED_ADMINISTRATORS")
    }

    /// `WRITER_ROLE_NAME`: the role of the stack that a function assumes to write where its own role only reads.
    pub fn writer_role_name(&mut self) -> RoleName {
        self.role_name("WRITER_ROLE_NAME")
    }

    /// `OWN_ACCOUNT_ROLE_NAME`: the role of the stack for the account that it is in, where that has no access role.
    pub fn own_account_role_name(&mut self) -> RoleName {
        self.role_name("OWN_ACCOUNT_ROLE_NAME")
    }

    fn role_name(&mut self, variable: &'static str) -> RoleName {
        let text = self.required(variable);
        text.parse().unwrap_or_else(|problem: NotValid| {
            if !text.is_empty() {
                self.problems.push(format!("{variable} must be {problem}"));
            }
            RoleName::organization_account_access()
        })
    }

    /// `BASELINE_BUCKET` and `BASELINE_KEY`: where the baseline document is in Amazon S3. Neither is set in a stack
    /// that has no document.
    pub fn baseline_document(&mut self) -> Option<(String, String)> {
        match (self.read("BASELINE_BUCKET"), self.read("BASELINE_KEY")) {
            (Some(bucket), Some(key)) => Some((bucket, key)),
            (None, None) => {
                if self.account_source() == AccountSource::Document {
                    self.problems.push("ACCOUNT_SOURCE is document, and BASELINE_KEY names none".to_owned());
                }
                None
            }
            _ => {
                self.problems.push("of BASELINE_BUCKET and BASELINE_KEY one is set without the other".to_owned());
                None
            }
        }
    }

    /// `REPORTS_BUCKET`: the bucket for sweeps and their reports.
    pub fn reports_bucket(&mut self) -> String {
        self.required("REPORTS_BUCKET")
    }

    /// `ACCOUNT_SOURCE`: where the accounts come from, `organization` or `document`; an organization when not set.
    pub fn account_source(&mut self) -> AccountSource {
        let Some(text) = self.read("ACCOUNT_SOURCE") else { return AccountSource::default() };
        text.parse().unwrap_or_else(|problem: NotValid| {
            self.problems.push(format!("ACCOUNT_SOURCE is {text:?}, which must be {problem}"));
            AccountSource::default()
        })
    }

    /// Where the accounts of the document are kept for the gateways, the same place whenever it is asked for; None where an
    /// organization has them.
    pub fn roster(&mut self) -> Option<Roster> {
        match self.account_source() {
            AccountSource::Organization => None,
            AccountSource::Document => Some(self.roster.clone()),
        }
    }

    /// The gateways of the management account, the same ones whenever they are asked for.
    ///
    /// `RATE_SHARE`: the part of AWS's published rates that one process of this function takes; all when not set.
    /// `RATE_SHARES`: its part of the rates of some operations, `<operation> <part>` each, with commas between them.
    pub fn management(&mut self, config: &SdkConfig) -> Management {
        if let Some(made) = &self.management {
            return made.clone();
        }
        let (rates, roster) = (self.rates(), self.roster());
        self.management.insert(Management::of(config, &rates, roster)).clone()
    }

    /// The gateway to the index of tags, which takes the same part of what it allows itself.
    pub fn tagging(&mut self, config: &SdkConfig) -> TaggingGateway {
        TaggingGateway::of(config, &self.rates()).of_roster(self.roster())
    }

    fn rates(&mut self) -> Rates {
        let text = self.read("RATE_SHARES").unwrap_or_default();
        let mut of = Vec::new();
        for (operation, share) in self.pairs("RATE_SHARES", &text) {
            match share.parse() {
                Ok(share) => of.push((operation, share)),
                Err(_) => self.problems.push(format!("RATE_SHARES has {share:?}, which must be a number")),
            }
        }
        Rates::new(self.parsed("RATE_SHARE", 1.0), of)
    }

    /// `BACKUP_BUCKET`: the bucket for policies that are removed.
    pub fn backup_bucket(&mut self) -> String {
        self.required("BACKUP_BUCKET")
    }

    /// `POLL_SECONDS`: the seconds before the first look again; 5 when not set.
    pub fn poll_backoff(&mut self) -> PollBackoff {
        PollBackoff { poll: Duration::from_secs(self.whole("POLL_SECONDS", 5).max(1).into()) }
    }

    /// `DEADLINE_MINUTES`: how long a new account may take; 120 when not set.
    pub fn deadline(&mut self) -> SignedDuration {
        SignedDuration::from_mins(self.whole("DEADLINE_MINUTES", 120).into())
    }

    /// `SETTLING_MINUTES`: how old an account has to be before a denial in it counts as one; 20 when not set. What a new
    /// account's role was granted holds everywhere after some minutes.
    pub fn settling(&mut self) -> SignedDuration {
        SignedDuration::from_mins(self.parsed("SETTLING_MINUTES", 20))
    }

    /// Ends the reading; an error lists every variable that is missing or wrong, once, although some are read for more than
    /// one part of a function.
    pub fn finish(mut self) -> Result<(), NotConfigured> {
        let mut said = HashSet::new();
        self.problems.retain(|problem| said.insert(problem.clone()));
        if self.problems.is_empty() { Ok(()) } else { Err(NotConfigured(self.problems)) }
    }

    /// Ids of accounts with commas between them.
    fn accounts(&mut self, name: &str) -> Vec<AccountId> {
        let text = self.read(name).unwrap_or_default();
        let mut accounts = Vec::new();
        for id in text.split(',').filter(|id| !id.is_empty()) {
            match id.parse() {
                Ok(id) => accounts.push(id),
                Err(problem) => self.problems.push(format!("{name} has {id:?}, which must be {problem}")),
            }
        }
        accounts
    }

    fn required(&mut self, name: &str) -> String {
        let value = self.read(name);
        if value.is_none() {
            self.problems.push(format!("{name} is not set"));
        }
        value.unwrap_or_default()
    }

    /// A whole number: what stands behind its point is left out.
    fn whole(&mut self, name: &str, default: u32) -> u32 {
        let number: f64 = self.parsed(name, default.into());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let whole = number as u32;
        whole
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.read(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{name} must be a number of its kind, not {text:?}"));
            default
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_or_wrong_is_said_at_once_and_once() {
        let environment = |name: &str| match name {
            "ALERT_EMAIL" => Some("nobody".to_owned()),
            "POLL_SECONDS" => Some("soon".to_owned()),
            "PROTECTED_ACCOUNTS" => Some("111111111111,12".to_owned()),
            "BASELINE_BUCKET" => Some("bucket".to_owned()),
            _ => None,
        };
        let mut settings = Settings::of(environment);
        settings.table_name();
        settings.table_name();
        settings.alert_email();
        settings.alert_email();
        settings.baseline_document();
        settings.poll_backoff();
        settings.protected_accounts();
        let text = settings.finish().unwrap_err().to_string();
        for name in ["TABLE_NAME", "ALERT_EMAIL", "BASELINE_KEY", "POLL_SECONDS", "PROTECTED_ACCOUNTS has \"12\""] {
            assert_eq!(text.matches(name).count(), 1, "{text}");
        }
    }

    /// What `template.yaml` allows for a parameter.
    fn pattern_of(parameter: &str) -> regex::Regex {
        let template = include_str!("../../../template.yaml");
        let (_, block) = template.split_once(&format!("\n  {parameter}:\n")).expect("the parameter");
        let (_, pattern) = block.split_once("AllowedPattern: '").expect("its pattern");
        let pattern = pattern.lines().next().and_then(|line| line.strip_suffix('\'')).expect("in quotes");
        // CloudFormation wants the whole value to match.
        regex::Regex::new(&format!("^(?:{})$", pattern.replace("''", "'"))).unwrap()
    }

    #[test]
    fn the_template_takes_the_values_that_the_functions_take() {
        let label = "x".repeat(64);
        let mails = [
            "o'neill@example.com",
            "a+b@sub.example.co",
            "R&D@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a b@example.com",
            "a@b",
            "a@-b.com",
            "a@b..com",
            "a@b@c.com",
            "a,b@example.com",
            "\"a\"@example.com",
            &format!("a@{label}.com"),
            &format!("a@{}.com", &label[1..]),
            "",
        ];
        let pattern = pattern_of("AlertEmail");
        for mail in mails {
            assert_eq!(pattern.is_match(mail), mail.parse::<MailAddress>().is_ok(), "{mail}");
        }
        let pattern = pattern_of("AccessRoleName");
        for role in ["OrganizationAccountAccessRole", "a_+=,.@-", "a b", "a/b", "", &"x".repeat(65)] {
            assert_eq!(pattern.is_match(role), role.parse::<RoleName>().is_ok(), "{role}");
        }
    }

    #[test]
    fn a_number_of_the_template_is_one_of_the_settings() {
        // Of a parameter of the type Number, CloudFormation takes fractions as well.
        let mut settings = Settings::of(|_| Some("7.5".to_owned()));
        assert_eq!(settings.max_accounts_per_day(), 7);
        assert_eq!(settings.poll_backoff().poll, Duration::from_secs(7));
        assert_eq!(settings.deadline(), SignedDuration::from_mins(7));
        settings.finish().unwrap();
        let mut settings = Settings::of(|_| Some("soon".to_owned()));
        settings.max_accounts_per_day();
        assert!(settings.finish().is_err());
    }

    #[test]
    fn what_is_not_set_has_its_documented_default() {
        let mut settings = Settings::of(|_| None);
        assert_eq!(settings.max_accounts_per_day(), 20);
        assert_eq!(settings.poll_backoff().poll, Duration::from_secs(5));
        assert_eq!(settings.deadline(), SignedDuration::from_hours(2));
        settings.finish().unwrap();
    }
}
