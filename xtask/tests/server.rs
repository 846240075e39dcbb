//! The launcher of RabbitMQ, on real servers.
#![allow(clippy::disallowed_methods, reason = "no part of the bus")]

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    thread,
};
use xtask::rabbitmq::Server;

/// The parts of `scheme://guest:guest@HOST:PORT` that a socket needs.
fn authority(url: &str) -> &str {
    url.rsplit_once('@').expect("a URL with credentials").1
}

fn accepts(url: &str) -> bool {
    TcpStream::connect(authority(url)).is_ok()
}

/// The status and body of a request to the management API.
fn api(server: &Server, request: &str) -> String {
    let url = server.management_url();
    let mut stream = TcpStream::connect(authority(&url)).unwrap();
    let head =
        "Host: localhost\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    write!(stream, "{request} HTTP/1.1\r\n{head}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The process groups of all servers that this process runs.
fn groups() -> Vec<String> {
    let mut groups = Vec::new();
    for folder in folders() {
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "group") {
                groups.push(fs::read_to_string(file).unwrap());
            }
        }
    }
    groups
}

fn folders() -> Vec<PathBuf> {
    let ours = format!("bus-rabbitmq-{}-", std::process::id());
    let all = fs::read_dir(env::temp_dir()).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&ours)).collect()
}

fn is_alive(group: &str) -> bool {
    Command::new("sh").args(["-c", "kill -s 0 -- \"-$1\" 2>/dev/null", "kill", group]).status().unwrap().success()
}

#[test]
fn two_servers_run_side_by_side_keep_their_data_over_a_crash_and_leave_nothing() {
    let other = thread::spawn(|| Server::start().unwrap());
    let mut server = Server::start().unwrap();
    let mut other = other.join().unwrap();
    let (amqp, management) = (server.amqp_url(), server.management_url());
    assert_ne!(amqp, other.amqp_url());
    assert!(api(&server, "PUT /api/vhosts/kept").starts_with("HTTP/1.1 201"));
    assert!(api(&other, "GET /api/vhosts/kept").starts_with("HTTP/1.1 404"));

    server.kill();
    assert!(!accepts(&amqp) && !accepts(&management), "killed, but still there");
    assert!(accepts(&other.amqp_url()), "the other one was killed too");
    // Stopping is seconds of waiting, starting is seconds of computing: both at once.
    let other = thread::spawn(move || {
        other.stop().unwrap();
        assert!(!accepts(&other.amqp_url()) && !accepts(&other.management_url()), "stopped, but still there");
        other.stop().unwrap();
        other
    });
    server.start_again().unwrap();
    let other = other.join().unwrap();
    assert_eq!((server.amqp_url(), server.management_url()), (amqp, management));
    assert!(api(&server, "GET /api/vhosts/kept").starts_with("HTTP/1.1 200"));
    let twice = server.start_again().unwrap_err().to_string();
    assert!(twice.contains("already running"), "{twice}");

    // Two port mappers and one node.
    let groups = groups();
    assert_eq!(groups.iter().filter(|group| is_alive(group)).count(), 3, "{groups:?}");
    drop((server, other));
    assert!(!groups.iter().any(|group| is_alive(group)), "{groups:?}");
    assert_eq!(folders(), Vec::<PathBuf>::new());
}
