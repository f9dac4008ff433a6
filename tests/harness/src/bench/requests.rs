//! Twenty requests at once in an organization of ten thousand accounts.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;

use crate::{Stack, console::Console};

/// How long each of them waits for its answer at most.
const ANSWERED: Duration = Duration::from_secs(2);
const AT_ONCE: usize = 20;

/// Measures and prints; what is over the budget is added to `missed`. A sweep has just filled the index of accounts.
pub(super) async fn measure(console: &Console, stack: &Stack, missed: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    let asked = (0..AT_ONCE).map(async |n| {
        let spec = json!({"account_name": format!("Rush {n}"), "email": format!("rush-{n}@example.com")});
        let begun = Instant::now();
        let answer = stack.request(&spec).await?;
        Ok::<_, local_cloud::AwsError>((begun.elapsed(), answer))
    });
    let mut took = Vec::new();
    for answered in join_all(asked).await {
        let (time, answer) = answered?;
        if !answer["request_id"].is_string() {
            return Err(format!("a request was not taken: {answer}").into());
        }
        took.push(time);
    }
    took.sort_unstable();
    let (median, longest) = (took[AT_ONCE / 2], took[AT_ONCE - 1]);
    console.fact(
        "20 requests at once",
        &format!(
            "answered within {}, half of them within {}",
            super::milliseconds(longest),
            super::milliseconds(median)
        ),
    );
    if longest > ANSWERED {
        missed.push(format!(
            "a request of twenty waits {} for its answer; 2 s is the budget",
            super::milliseconds(longest)
        ));
    }
    Ok(())
}
