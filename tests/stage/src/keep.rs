//! A cloud to play with.

use std::error::Error;

use crate::{Instructions, Scene, scene::MANAGEMENT_ACCOUNT, screen::Screen};

/// The port of a cloud to play with: the one that AWS emulators commonly use.
const PORT: u16 = 4566;

/// Opens the scene and keeps it open until the process is interrupted.
pub(crate) async fn keep() -> Result<(), Box<dyn Error>> {
    let screen = Screen;
    screen.heading("An AWS Organization on this machine, with Steward in it; Ctrl-C ends it");
    let scene = Scene::open(&screen, PORT, 0).await?;
    let output = |name: &str| scene.stack.output(name).to_owned();
    let instructions = Instructions::new(&scene.cloud.endpoint(), MANAGEMENT_ACCOUNT, output);
    screen.heading("In another terminal, for the AWS CLI or any SDK, as the root user of the management account:");
    for (name, value) in &instructions.environment {
        screen.line(&format!("export {name}={value}"));
    }
    screen.heading("Then, for example:");
    for line in instructions.commands.iter().flat_map(|command| command.lines()) {
        screen.line(line);
    }
    std::future::pending().await
}
