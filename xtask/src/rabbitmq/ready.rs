//! Is the server up? Both of its doors are tried, as a client would.

use super::ports::Ports;
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// For one question; a loaded machine answers late while it boots.
const PATIENCE: Duration = Duration::from_secs(5);

/// `guest:guest`, which RabbitMQ accepts from loopback only.
const GUEST: &str = "Z3Vlc3Q6Z3Vlc3Q=";

pub(super) fn ready(ports: &Ports) -> bool {
    amqp_answers(ports.amqp) && management_answers(ports.management)
}

/// The answer to a protocol header is a method frame (type 1, `connection.start`); a server of another
/// version would send its own header.
fn amqp_answers(port: u16) -> bool {
    ask(port, b"AMQP\x00\x00\x09\x01", 1).is_some_and(|answer| answer == [1])
}

fn management_answers(port: u16) -> bool {
    let request = format!(
        "GET /api/overview HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {GUEST}\r\nConnection: close\r\n\r\n"
    );
    let ok = b"HTTP/1.1 200 ";
    ask(port, request.as_bytes(), ok.len()).is_some_and(|answer| answer == ok)
}

/// The first `len` bytes of the answer; nothing if they do not come.
fn ask(port: u16, question: &[u8], len: usize) -> Option<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(question).ok()?;
    let mut answer = vec![0; len];
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// A server that reads once and gives one answer.
    fn answering(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]).unwrap();
            stream.write_all(answer).unwrap();
        });
        port
    }

    #[test]
    fn amqp_answers_with_a_method_frame_only() {
        assert!(amqp_answers(answering(b"\x01\x00\x00")));
        assert!(!amqp_answers(answering(b"AMQP\x00\x00\x09\x01")));
        assert!(!amqp_answers(answering(b"")));
    }

    #[test]
    fn management_answers_with_200_only() {
        assert!(management_answers(answering(b"HTTP/1.1 200 OK\r\n\r\n")));
        assert!(!management_answers(answering(b"HTTP/1.1 401 Unauthorized\r\n\r\n")));
        assert!(!management_answers(answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")));
    }
}
