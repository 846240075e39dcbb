//! How a private node is configured: files and environment.

use super::{Error, folder::Folder, ports::Ports};
use std::{env, ffi::OsString, fs, path::Path, process::Command};

/// The management plugin is how tests see queues from outside and cut connections.
const PLUGINS: &str = "[rabbitmq_management].\n";

fn conf(ports: &Ports) -> String {
    format!(
        "listeners.tcp.1 = 127.0.0.1:{}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {}\n\
         # Counters in the management API are this old; 5000 is the default.\n\
         collect_statistics_interval = 1000\n",
        ports.amqp, ports.management
    )
}

pub(super) fn write_files(folder: &Path, ports: &Ports, advanced: &str) -> Result<(), Error> {
    for (name, text) in [
        ("rabbitmq.conf", conf(ports).as_str()),
        ("advanced.config", advanced),
        ("enabled_plugins", PLUGINS),
        ("rabbitmq-env.conf", ""),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| Error::io(format!("cannot write {}", path.display()), e))?;
    }
    Ok(())
}

/// The environment is built from nothing, so that neither the caller's variables nor the machine's
/// `/etc/rabbitmq` reach the node.
fn environment(folder: &Path, ports: &Ports) -> Vec<(&'static str, OsString)> {
    let file = |name: &str| folder.join(name).into_os_string();
    vec![
        ("PATH", env::var_os("PATH").unwrap_or_default()),
        ("LANG", "C.UTF-8".into()),
        // Erlang's cookie goes there.
        ("HOME", folder.into()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
        ("ERL_EPMD_PORT", ports.epmd.to_string().into()),
        ("ERL_CRASH_DUMP", file("erl_crash.dump")),
        ("RABBITMQ_NODENAME", format!("bus-{}@localhost", ports.amqp).into()),
        ("RABBITMQ_DIST_PORT", ports.distribution.to_string().into()),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
        ("RABBITMQ_CONFIG_FILES", file("conf.d")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", file("advanced.config")),
        ("RABBITMQ_CONF_ENV_FILE", file("rabbitmq-env.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", file("data")),
        ("RABBITMQ_LOG_BASE", file("log")),
        ("RABBITMQ_PID_FILE", file("rabbitmq.pid")),
        // To the standard output, which is our one log file.
        ("RABBITMQ_LOGS", "-".into()),
        // Makes the server script `exec` Erlang instead of staying as a shell in between: our child is
        // the node itself, so a kill hits it and a wait means that it is gone. The script then leaves
        // out `-noinput`.
        ("RABBITMQ_ALLOW_INPUT", "1".into()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-noinput -kernel inet_dist_use_interface {127,0,0,1}".into()),
    ]
}

/// A program of the node, in the folder and with its environment.
pub(super) fn command(program: &Path, folder: &Folder, ports: &Ports) -> Result<Command, Error> {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.log())
        .and_then(|log| Ok((log.try_clone()?, log)))
        .map_err(|e| Error::io(format!("cannot write {}", folder.log().display()), e))?;
    let mut command = Command::new(program);
    command.env_clear().envs(environment(folder.path(), ports)).current_dir(folder.path()).stdout(log.0).stderr(log.1);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { amqp: 10001, management: 10002, epmd: 10003, distribution: 10004 };

    #[test]
    fn the_conf_listens_on_loopback_only() {
        let conf = conf(&PORTS);
        let lines: Vec<_> = conf.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "listeners.tcp.1 = 127.0.0.1:10001",
                "management.tcp.ip = 127.0.0.1",
                "management.tcp.port = 10002",
                "collect_statistics_interval = 1000",
            ]
        );
    }

    #[test]
    fn the_environment_keeps_every_file_in_the_folder() {
        let environment = environment(Path::new("/folder"), &PORTS);
        for (name, value) in environment.iter().filter(|(_, v)| v.to_string_lossy().starts_with('/')) {
            let inside = Path::new(value).starts_with("/folder");
            assert!(inside || *name == "PATH", "{name} is {value:?}");
        }
        let value = |wanted| environment.iter().find(|(n, _)| *n == wanted).unwrap().1.to_str().unwrap();
        assert_eq!(value("RABBITMQ_NODENAME"), "bus-10001@localhost");
        assert_eq!(value("ERL_EPMD_PORT"), "10003");
        assert_eq!(value("RABBITMQ_DIST_PORT"), "10004");
    }
}
