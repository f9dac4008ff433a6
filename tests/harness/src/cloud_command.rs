//! A cloud to play with.

use std::error::Error;

use crate::{DemoOrganization, Instructions, console::Console, demo_organization::MANAGEMENT_ACCOUNT};

/// The port of a cloud to play with: the one that AWS emulators commonly use.
const PORT: u16 = 4566;

/// Opens the demonstration's organization and keeps it open until the process is interrupted.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let console = Console;
    console.heading("An AWS Organization on this machine, with Steward in it; Ctrl-C ends it");
    let demo = DemoOrganization::open(&console, PORT, 0).await?;
    let output = |name: &str| demo.stack.output(name).to_owned();
    let instructions = Instructions::new(&demo.cloud.endpoint(), MANAGEMENT_ACCOUNT, output);
    console.heading("In another terminal, for the AWS CLI or any SDK, as the root user of the management account:");
    for (name, value) in &instructions.environment {
        console.line(&format!("export {name}={value}"));
    }
    console.heading("Then, for example:");
    for line in instructions.commands.iter().flat_map(|command| command.lines()) {
        console.line(line);
    }
    std::future::pending().await
}
