//! What is asked for: accounts whose closing is called off.

use steward::{
    clock,
    control::Mode,
    error::{Cause, Failure},
    ids::AccountId,
    table::closures::{Closure, ClosureState, Told},
};

use crate::{
    AccountCloser,
    input::Asked,
    look::TAG,
    placed,
    report::{Accounts, Outcome, Plan, Report, Row},
};

impl AccountCloser {
    /// Plans to call closings off, or does.
    pub(crate) async fn keep(
        &self,
        ids: &[AccountId],
        asked: &Asked,
        mode: Mode,
        invocation: &str,
    ) -> Result<Report, Failure> {
        let now = clock::now();
        let (mut rows, mut begun) = (Vec::new(), Vec::new());
        for (place, id) in ids.iter().enumerate() {
            let closure = self.closures.find(id).await?;
            match closure.ok_or_else(|| "It is not being closed.".to_owned()).and_then(called_off) {
                Err(why) => rows.push((place, Row::with(id, None, Outcome::Refused { why }))),
                Ok(closure) if matches!(closure.state, ClosureState::Kept(_)) => {
                    rows.push((place, Row::of(&closure, None)));
                }
                Ok(closure) if mode == Mode::Plan => {
                    let steps = vec![
                        format!("move it back to {}, unless somebody has moved it elsewhere", closure.from_unit),
                        format!("take the tag {TAG} away"),
                    ];
                    let outcome = Outcome::Planned(Box::new(Plan { steps, ..Plan::default() }));
                    rows.push((place, Row::with(id, Some(&closure.account_name), outcome)));
                }
                Ok(closure) if matches!(closure.state, ClosureState::Keeping(_)) => begun.push((place, closure)),
                Ok(closure) => {
                    let mut kept = closure.entered(ClosureState::Keeping(asked.clone().into()), now);
                    // Of one that has stopped, people were told the end.
                    kept.told = kept.told.min(Told::Due);
                    if self.closures.write(&kept).await? {
                        begun.push((place, kept));
                    } else {
                        let failure =
                            Failure::with_detail(Cause::ConcurrentModification, "It has just gone on; ask again.");
                        rows.push((place, Row::with(id, None, Outcome::Failed(Box::new(failure)))));
                    }
                }
            }
        }
        if !begun.is_empty() {
            let document = self.document.read(&self.bus).await?;
            let bounds = self.bounds(&document, Vec::new());
            let closures = begun.iter().map(|(_, closure)| closure.clone()).collect();
            let moved = self.work_on(closures, &document, &bounds, invocation).await?;
            rows.extend(placed(&begun, &moved));
        }
        rows.sort_by_key(|(place, _)| *place);
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Report::Accounts(Box::new(Accounts { mode, baseline_refused: None, quota: None, rows })))
    }
}

/// The closure, if it can still be called off; otherwise why not.
fn called_off(closure: Closure) -> Result<Closure, String> {
    match closure.state {
        ClosureState::Closing | ClosureState::Pending => {
            Err("AWS has been asked to close it. Within 90 days, AWS Support can open it again.".to_owned())
        }
        ClosureState::Closed { .. } => {
            Err("It is closed. Within 90 days of that, AWS Support can open it again.".to_owned())
        }
        _ => Ok(closure),
    }
}
