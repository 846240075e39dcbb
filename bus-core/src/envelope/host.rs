use std::{borrow::Cow, sync::LazyLock};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which process sent a message, as the envelope says it. Every field may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Host {
    /// The machine.
    pub machine_name: Option<Cow<'static, str>>,
    /// The program.
    pub process_name: Option<Cow<'static, str>>,
    /// The process; 32 bits with a sign, as .NET has it.
    pub process_id: i32,
    /// The program's package.
    pub assembly: Option<Cow<'static, str>>,
    /// Its version.
    pub assembly_version: Option<Cow<'static, str>>,
    /// The runtime's version.
    pub framework_version: Option<Cow<'static, str>>,
    /// The version of the library that wrote the envelope: MassTransit's, or this one's.
    pub mass_transit_version: Option<Cow<'static, str>>,
    /// The operating system.
    pub operating_system_version: Option<Cow<'static, str>>,
}

static CURRENT: LazyLock<(Host, Box<RawValue>)> = LazyLock::new(|| {
    let host = Host::read();
    let json = serde_json::value::to_raw_value(&host).unwrap_or_default();
    (host, json)
});

impl Host {
    /// This process. Read once.
    pub fn current() -> &'static Host {
        &CURRENT.0
    }

    /// This process as JSON, ready to stand in an envelope.
    pub(crate) fn current_json() -> &'static RawValue {
        &CURRENT.1
    }

    /// This process as JSON with .NET's own names of members, as raw JSON's header `MT-Host-Info` has it.
    pub(crate) fn current_pascal_json() -> &'static str {
        static PASCAL: LazyLock<String> = LazyLock::new(|| {
            let Ok(serde_json::Value::Object(members)) = serde_json::to_value(Host::current()) else {
                return "{}".to_owned();
            };
            let pascal = members.into_iter().map(|(name, value)| {
                let (first, rest) = name.split_at(1);
                (first.to_ascii_uppercase() + rest, value)
            });
            serde_json::Value::Object(pascal.collect()).to_string()
        });
        &PASCAL
    }

    fn read() -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy());
        let process_name: Cow<'static, str> = program.map_or("unknown".into(), |name| name.into_owned().into());
        Self {
            machine_name: Some(machine_name().into()),
            process_name: Some(process_name.clone()),
            // .NET reads 32 bits with a sign; process ids stay far below on every system we know.
            process_id: i32::try_from(std::process::id()).unwrap_or(0),
            assembly: Some(process_name),
            assembly_version: Some(env!("CARGO_PKG_VERSION").into()),
            framework_version: Some(concat!("rust-", env!("CARGO_PKG_RUST_VERSION")).into()),
            mass_transit_version: Some(concat!("bus-", env!("CARGO_PKG_VERSION")).into()),
            operating_system_version: Some(operating_system().into()),
        }
    }
}

fn machine_name() -> String {
    kernel("hostname")
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .unwrap_or_else(|| "localhost".to_owned())
}

fn operating_system() -> String {
    match kernel("osrelease") {
        Some(release) => format!("{} {release}", std::env::consts::OS),
        None => std::env::consts::OS.to_owned(),
    }
}

fn kernel(file: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/sys/kernel/{file}")).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
