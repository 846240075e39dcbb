//! The quickstart is run as a user runs it, and must tell its whole story.

use std::process::Output;

use tokio::process::Command;

use crate::example;

fn quickstart() -> Command {
    example("quickstart")
}

fn assert_told(output: &Output) {
    let story = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{story}\n{complaints}");
    assert!(story.contains("Messages seen by each service: [5, 5, 4, 4, 4]"), "{story}");
    assert!(story.contains(r#"In orders_error lies what failed, and why: ["we do not sell unicorns"]"#), "{story}");
    for line in [
        "audit files an order of a unicorn",
        "orders looks at an order of a unicorn",
        "billing hears of an order of tea",
    ] {
        assert!(story.contains(line), "{line} is missing in:\n{story}");
    }
}

#[tokio::test]
async fn the_quickstart_tells_its_story_in_memory() {
    assert_told(&quickstart().output().await.expect("it runs"));
}

#[tokio::test]
async fn a_role_alone_is_refused_in_memory_with_the_reason() {
    let output = quickstart().args(["--role", "orders"]).output().await.expect("it runs");
    assert!(!output.status.success());
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(complaints.contains("memory:// is within one"), "{complaints}");
}

#[cfg(feature = "rabbitmq")]
mod on_rabbitmq {
    use std::process::Stdio;

    use tokio::{
        io::{AsyncBufReadExt, BufReader, Lines},
        process::{Child, ChildStdout, Command},
    };
    use xtask::rabbitmq::VirtualHost;

    use super::{assert_told, quickstart};

    #[tokio::test]
    async fn the_quickstart_tells_its_story_on_rabbitmq_twice_in_a_row() {
        let place = VirtualHost::create();
        for _ in 0..2 {
            assert_told(&quickstart().env("BUS_URL", place.url()).output().await.expect("it runs"));
        }
    }

    /// One process of the quickstart, and what it tells.
    struct Role {
        process: Child,
        story: Lines<BufReader<ChildStdout>>,
    }

    impl Role {
        async fn started(url: &str, role: &str) -> Self {
            let mut process = quickstart()
                .args(["--role", role])
                .env("BUS_URL", url)
                .stdout(Stdio::piped())
                .spawn()
                .expect("it runs");
            let story = BufReader::new(process.stdout.take().expect("it was piped")).lines();
            let mut role = Self { process, story };
            role.tells("runs until Ctrl-C").await;
            role
        }

        /// Reads on until a line says it.
        async fn tells(&mut self, what: &str) {
            while let Some(line) = self.story.next_line().await.expect("it writes lines") {
                if line.contains(what) {
                    return;
                }
            }
            panic!("it ended without telling: {what}");
        }

        async fn interrupted(mut self) {
            let process = self.process.id().expect("it runs").to_string();
            let sent = Command::new("kill").args(["-INT", &process]).status().await.expect("kill runs");
            assert!(sent.success());
            assert!(self.process.wait().await.expect("it ends").success(), "Ctrl-C is a clean end");
        }
    }

    #[tokio::test]
    async fn roles_run_as_processes_until_interrupted() {
        let place = VirtualHost::create();
        let mut orders = Role::started(place.url(), "orders").await;
        let mut billing = Role::started(place.url(), "billing").await;
        let customer = Role::started(place.url(), "customer").await;
        orders.tells("looks at an order of soap").await;
        billing.tells("hears of an order of soap").await;
        for role in [orders, billing, customer] {
            role.interrupted().await;
        }
    }
}
