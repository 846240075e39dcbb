//! Between a client and the broker: loses or spoils chosen frames of the broker's.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::server::amqp;

/// Methods, as class and number.
pub(crate) const CONFIRM: (u16, u16) = (60, 80);
pub(crate) const QUEUE_DECLARED: (u16, u16) = (50, 11);

/// While it is on, it does what it was made for.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    on: Arc<AtomicBool>,
}

impl Proxy {
    /// Loses frames of that method that contain `text`, once it is told to.
    pub(crate) fn losing(method: (u16, u16), text: &'static str) -> Self {
        Self::new(move |frame| {
            let lost = frame[0] == 1
                && frame[7..11] == [method.0.to_be_bytes(), method.1.to_be_bytes()].concat()
                && String::from_utf8_lossy(frame).contains(text);
            !lost
        })
    }

    /// Makes `text` in the properties of messages something that is no UTF-8, once it is told to.
    pub(crate) fn spoiling(text: &'static str) -> Self {
        Self::new(move |frame| {
            let found = frame.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found.filter(|_| frame[0] == 2) {
                frame[at] = 0xff;
            }
            true
        })
    }

    /// The frames that `keep` is false for are lost; it may change the others.
    fn new(keep: impl Fn(&mut [u8]) -> bool + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), on: Arc::default() };
        let on = proxy.on.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let broker = TcpStream::connect(authority()).unwrap();
                let (mut up, mut down) = (client.try_clone().unwrap(), broker.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut up, &mut down);
                    let _ = down.shutdown(Shutdown::Both);
                });
                let (on, keep) = (on.clone(), keep.clone());
                thread::spawn(move || {
                    let _ = pass(&broker, &client, |frame| !on.load(Ordering::SeqCst) || keep(frame));
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        proxy
    }

    pub(crate) fn turn(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, keep: impl Fn(&mut [u8]) -> bool) -> std::io::Result<()> {
    loop {
        let mut frame = vec![0; 7];
        from.read_exact(&mut frame)?;
        let length = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]) as usize;
        frame.resize(7 + length + 1, 0);
        from.read_exact(&mut frame[7..])?;
        if keep(&mut frame) {
            to.write_all(&frame)?;
        }
    }
}

fn authority() -> String {
    amqp().rsplit(['@', '/']).find(|part| part.contains(':')).unwrap().to_owned()
}
