use std::sync::{Arc, Mutex};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A way to the broker that can be cut on our side only: the broker goes on believing in the connections.
pub(crate) struct Relay {
    pub(crate) port: u16,
    cut: watch::Sender<u32>,
    left: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    pub(crate) async fn to(broker: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, cuts) = watch::channel(0);
        let left = Arc::new(Mutex::new(Vec::new()));
        let keep = left.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (broker, keep, mut cuts) = (broker.clone(), keep.clone(), cuts.clone());
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(broker).await.unwrap();
                    let cut = tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => false,
                        _ = cuts.changed() => true,
                    };
                    if cut {
                        keep.lock().unwrap().push(server);
                    }
                });
            }
        });
        Self { port, cut, left }
    }

    pub(crate) fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    /// The broker learns of it.
    pub(crate) fn tell(&self) {
        self.left.lock().unwrap().clear();
    }
}
