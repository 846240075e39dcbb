//! Free ports on loopback.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// From 32768 on Linux hands ports to outgoing connections: a port there can be taken by any client
/// between choosing it and listening on it, and again while the server is down for a restart.
const RANGE: std::ops::Range<u16> = 10240..32768;

/// What one server listens on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) amqp: u16,
    pub(super) management: u16,
    pub(super) epmd: u16,
    pub(super) distribution: u16,
}

impl Ports {
    pub(super) fn choose() -> io::Result<Self> {
        // One walk through the range per process, so that two servers that start at once never get the
        // same port; a random beginning, so that two processes hardly ever do.
        static NEXT: OnceLock<AtomicU64> = OnceLock::new();
        let next = NEXT.get_or_init(|| AtomicU64::new(RandomState::new().build_hasher().finish() >> 1));
        let free = || free_port(|| next.fetch_add(1, Ordering::Relaxed));
        Ok(Self { amqp: free()?, management: free()?, epmd: free()?, distribution: free()? })
    }
}

fn free_port(mut next: impl FnMut() -> u64) -> io::Result<u16> {
    RANGE
        .map(|_| in_range(next()))
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, format!("no free port in {RANGE:?}")))
}

fn in_range(n: u64) -> u16 {
    let offset = n % u64::from(RANGE.end - RANGE.start);
    RANGE.start + u16::try_from(offset).expect("smaller than the range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_maps_below_the_ports_of_outgoing_connections() {
        for n in [0, 1, 22_527, 22_528, u64::MAX] {
            assert!((10240..32768).contains(&in_range(n)), "{n} gave {}", in_range(n));
        }
        assert_eq!((in_range(22_527), in_range(22_528)), (32767, 10240));
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let mut n = 0;
        let mut next = || {
            n += 1;
            n
        };
        let first = free_port(&mut next).unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let from = u64::from(first - RANGE.start);
        let mut again = from..;
        assert!(free_port(|| again.next().unwrap()).unwrap() > first);
    }

    #[test]
    fn servers_of_one_process_share_no_port() {
        let (a, b) = (Ports::choose().unwrap(), Ports::choose().unwrap());
        let mut all = [a, b].map(|p| [p.amqp, p.management, p.epmd, p.distribution]).concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8, "{a:?} {b:?}");
    }
}
