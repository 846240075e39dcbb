//! The relay, between sockets of a test's own.
#![allow(clippy::disallowed_methods, reason = "no part of the bus")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};
use xtask::{Relay, Side};

const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";
const FRAME: &[u8] = b"\x01\x00\x00\x00\x00\x00\x08payload!\xCE";

/// A client and a server, with a relay between them that passed the greeting.
fn line() -> (Relay, TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let relay = Relay::to(listener.local_addr().unwrap().to_string());
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(GREETING).unwrap();
    server.read_exact(&mut [0; GREETING.len()]).unwrap();
    (relay, client, server)
}

fn broken(relay: &Relay) {
    while relay.broken() == 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_frame_of_the_servers_ends_in_its_middle_and_the_client_is_reset() {
    let (relay, mut client, mut server) = line();
    relay.break_frame(Side::Server);
    // A whole frame of the other side's passes.
    client.write_all(FRAME).unwrap();
    server.read_exact(&mut [0; FRAME.len()]).unwrap();
    server.write_all(FRAME).unwrap();
    let mut half = vec![0; FRAME.len() / 2];
    client.read_exact(&mut half).unwrap();
    assert_eq!(half, FRAME[..half.len()]);
    client.write_all(FRAME).unwrap();
    broken(&relay);
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_frame_of_the_clients_ends_in_its_middle_and_the_client_is_reset() {
    let (relay, mut client, mut server) = line();
    relay.break_frame(Side::Client);
    // A whole frame of the other side's passes.
    server.write_all(FRAME).unwrap();
    client.read_exact(&mut [0; FRAME.len()]).unwrap();
    client.write_all(FRAME).unwrap();
    let mut part = [0; FRAME.len()];
    let read = server.read(&mut part).unwrap();
    assert!(read < FRAME.len() && part[..read] == FRAME[..read], "{:?}", &part[..read]);
    client.write_all(FRAME).unwrap();
    broken(&relay);
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.read(&mut part).unwrap(), 0, "the rest never comes");
}

#[test]
fn it_knows_how_often_clients_came_also_those_it_refused() {
    let (relay, _client, _server) = line();
    relay.refuse(true);
    let mut refused = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
    assert_eq!(refused.read(&mut [0]).unwrap(), 0);
    assert_eq!(relay.accepted().len(), 2);
}
