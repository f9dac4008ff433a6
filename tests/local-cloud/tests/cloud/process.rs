//! The processes start together and end together.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use local_cloud::{LocalCloud, MiniStackError, Options, StartError};

#[test]
fn a_missing_executable_is_named() {
    let options = Options { ministack: PathBuf::from("/nowhere/ministack"), ..Options::default() };
    let Err(StartError::MiniStack(error)) = LocalCloud::start(options) else { panic!("nothing could have started") };
    assert!(matches!(&error, MiniStackError::NotInstalled(path) if path.ends_with("nowhere/ministack")));
}

#[test]
fn an_early_end_shows_the_log() {
    let options = Options { ministack: PathBuf::from("/bin/false"), ..Options::default() };
    let Err(StartError::MiniStack(error)) = LocalCloud::start(options) else { panic!("nothing could have started") };
    assert!(matches!(error, MiniStackError::Ended { .. }), "{error}");
}

#[test]
fn nothing_is_left_when_the_cloud_is_dropped() {
    let cloud = LocalCloud::start(Options::default()).expect("the local cloud starts");
    let (folder, endpoint) = (cloud.log().parent().unwrap().to_owned(), cloud.endpoint());
    assert!(folder.exists());
    drop(cloud);
    assert!(!folder.exists(), "its folder is removed");
    let address = endpoint.trim_start_matches("http://").to_owned();
    // Only a hang ends it: a busy machine may take its time.
    let deadline = Instant::now() + Duration::from_mins(5);
    while TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < deadline, "the endpoint is closed");
    }
}
