//! The URL from the environment, in processes of their own: each test runs itself again.

use std::{env, ffi::OsString, fs, process::Command};

/// Set in the child, which writes there what it found.
const TOLD: &str = "BUS_TEST_TOLD";

/// What the child does: says what the bus is on, or why it cannot be built.
fn tell(file: OsString) {
    let found = match bus::from_env().build() {
        Ok(bus) => bus.describe().transport.address,
        Err(error) => error.to_string(),
    };
    let explicit = bus::builder("memory://explicit").build().unwrap().describe().transport.address;
    fs::write(file, format!("{found}\n{explicit}")).unwrap();
}

/// What a child in which that test runs says.
fn told(test: &str, url: Option<&str>) -> String {
    let file = env::temp_dir().join(format!("bus-from-env-{}", uuid::Uuid::now_v7()));
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", &format!("from_env::{test}")]).env_remove("BUS_URL").env(TOLD, &file);
    let output = child.envs(url.map(|url| ("BUS_URL", url))).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let told = fs::read_to_string(&file).expect("the child ran the test");
    fs::remove_file(file).unwrap();
    told
}

#[test]
fn the_url_comes_from_the_environment_unless_the_program_says_one() {
    if let Some(file) = env::var_os(TOLD) {
        return tell(file);
    }
    let told = told("the_url_comes_from_the_environment_unless_the_program_says_one", Some("memory://from-env"));
    assert_eq!(told, "memory://from-env\nmemory://explicit");
}

#[test]
fn without_a_url_in_the_environment_build_says_what_to_set() {
    if let Some(file) = env::var_os(TOLD) {
        return tell(file);
    }
    for url in [None, Some("")] {
        let said = told("without_a_url_in_the_environment_build_says_what_to_set", url);
        assert!(said.starts_with("the bus cannot be built: the environment variable `BUS_URL` is "), "{said}");
        assert!(said.contains(": set it to a URL such as `BUS_URL=amqp://user:password@host/vhost`"), "{said}");
        // The call in the program.
        assert!(said.contains(&format!(" --> {}:", file!())), "{said}");
        assert!(said.ends_with("\nmemory://explicit"), "{said}");
    }
}
