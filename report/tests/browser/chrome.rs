//! A Chromium of its own, told what to do over the protocol of its developer tools.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use headless_chrome::{
    Browser, LaunchOptions, Tab,
    protocol::cdp::{Emulation, Page, types::Event},
};
use libtest_mimic::Failed;

/// What a reader's system prefers.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The browser, if there is one.
#[expect(clippy::disallowed_methods, reason = "where programs are is no setting of Steward")]
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

/// One page in a browser.
pub(crate) struct Window {
    tab: Arc<Tab>,
    said: Arc<Mutex<Vec<String>>>,
    // The last one: the tab goes before its browser.
    _browser: Browser,
}

impl Window {
    /// Opens a file and waits until it is drawn.
    pub(crate) fn open(program: &Path, file: &Path) -> Result<Self, Failed> {
        let quiet =
            ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
        let options = LaunchOptions::default_builder()
            .path(Some(program.to_owned()))
            // A test opens its own page alone, and in a container Chromium cannot set its sandbox up.
            .sandbox(false)
            .window_size(Some((1280, 900)))
            .idle_browser_timeout(Duration::from_mins(3))
            .args(quiet.iter().map(OsStr::new).collect())
            .build()?;
        let browser = Browser::new(options)?;
        let tab = browser.new_tab()?;
        tab.set_default_timeout(Duration::from_mins(1));
        tab.call_method(Emulation::SetScrollbarsHidden { hidden: true })?;
        let said = Arc::new(Mutex::new(Vec::new()));
        tab.enable_log()?.enable_runtime()?;
        let received = Arc::clone(&said);
        tab.add_event_listener(Arc::new(move |event: &Event| {
            let text = match event {
                Event::LogEntryAdded(entry) => entry.params.entry.text.clone(),
                Event::RuntimeExceptionThrown(thrown) => format!("{:?}", thrown.params.exception_details),
                Event::RuntimeConsoleAPICalled(call) => format!("{:?}", call.params),
                _ => return,
            };
            received.lock().unwrap().push(text);
        }))?;
        tab.navigate_to(&format!("file://{}", file.display()))?.wait_until_navigated()?;
        let window = Self { tab, said, _browser: browser };
        window.run(
            "window.search = (words) => { const q = document.getElementById('q'); q.value = words; document.getElementById('filters').requestSubmit(); };
             window.choose = (id, value) => { const s = document.getElementById(id); s.value = value; s.dispatchEvent(new Event('change')); };",
        )?;
        Ok(window)
    }

    /// What was said on the console so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Runs statements, and lets the page answer them.
    pub(crate) fn run(&self, script: &str) -> Result<(), Failed> {
        let script =
            format!("{script}; new Promise(done => setTimeout(() => requestAnimationFrame(() => done('')), 30))");
        self.awaited(&script).map(drop)
    }

    /// The text that an expression gives.
    pub(crate) fn text(&self, expression: &str) -> Result<String, Failed> {
        self.awaited(&format!("Promise.resolve(String({expression}))"))
    }

    /// The number that an expression gives.
    pub(crate) fn number(&self, expression: &str) -> Result<usize, Failed> {
        Ok(self.text(expression)?.parse()?)
    }

    /// The text that a promise gives.
    pub(crate) fn awaited(&self, promise: &str) -> Result<String, Failed> {
        let found = self.tab.evaluate(promise, true)?;
        match found.value {
            Some(serde_json::Value::String(text)) => Ok(text),
            _ => Err(format!("{:.200}: {:?}", promise, found.description).into()),
        }
    }

    /// Presses a key.
    pub(crate) fn press(&self, key: &str) -> Result<(), Failed> {
        self.tab.press_key(key)?;
        self.run("''")
    }

    /// Shows the page as on a system that prefers light or dark.
    pub(crate) fn scheme(&self, scheme: Scheme) -> Result<(), Failed> {
        let feature = Emulation::MediaFeature { name: "prefers-color-scheme".into(), value: scheme.name().into() };
        self.tab.call_method(Emulation::SetEmulatedMedia { media: None, features: Some(vec![feature]) })?;
        self.run("''")
    }

    /// Keeps a picture of the whole page at a width.
    pub(crate) fn picture(&self, file: Option<PathBuf>, width: u32) -> Result<(), Failed> {
        let Some(file) = file else { return Ok(()) };
        self.size(width, 900)?;
        let open = self.text("document.querySelectorAll('dialog[open]').length")? == "1";
        if !open {
            let height = self.number("document.documentElement.scrollHeight")?;
            self.size(width, u32::try_from(height)?)?;
        }
        let picture = self.tab.capture_screenshot(Page::CaptureScreenshotFormatOption::Png, None, None, true)?;
        std::fs::write(file, picture)?;
        self.size(1280, 900)
    }

    /// Keeps the page as it is printed.
    pub(crate) fn print(&self, file: Option<PathBuf>) -> Result<(), Failed> {
        let Some(file) = file else { return Ok(()) };
        Ok(std::fs::write(file, self.tab.print_to_pdf(None)?)?)
    }

    /// Gives the page a width and a height.
    pub(crate) fn size(&self, width: u32, height: u32) -> Result<(), Failed> {
        self.tab.call_method(Emulation::SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile: false,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        })?;
        self.run("''")
    }
}
