//! A listener with one thread a connection, all of which end with it.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::http::{Reply, Request};

pub struct Server {
    address: SocketAddr,
    connections: Arc<Connections>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(socket: TcpListener, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let address = socket.local_addr().unwrap();
        let connections = Arc::new(Connections::default());
        let accepted = Arc::clone(&connections);
        let thread = thread::spawn(move || accept_all(&socket, &accepted, &answer));
        Self { address, connections, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.connections.close();
        // accept() has no other way to be woken from outside; a refusal means that it has ended already
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "bug: a thread of the loopback cloud panicked");
        }
    }
}

/// The address of a socket as a URL without a path.
pub fn url_of(socket: &TcpListener) -> String {
    format!("http://{}", socket.local_addr().unwrap())
}

/// The open connections, so that those which block can be ended.
#[derive(Default)]
struct Connections(Mutex<Open>);

#[derive(Default)]
struct Open {
    closed: bool,
    streams: BTreeMap<u64, Arc<TcpStream>>,
}

impl Connections {
    /// Takes a connection in; `false` once closed.
    fn open(&self, number: u64, stream: &Arc<TcpStream>) -> bool {
        let mut open = self.0.lock().unwrap();
        if !open.closed {
            open.streams.insert(number, Arc::clone(stream));
        }
        !open.closed
    }

    fn forget(&self, number: u64) {
        self.0.lock().unwrap().streams.remove(&number);
    }

    fn close(&self) {
        let mut open = self.0.lock().unwrap();
        open.closed = true;
        for stream in open.streams.values() {
            // the client may have gone first
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn accept_all(socket: &TcpListener, connections: &Connections, answer: &(impl Fn(&Request) -> Reply + Sync)) {
    thread::scope(|scope| {
        for (number, stream) in (0..).zip(socket.incoming()) {
            let Ok(stream) = stream.map(Arc::new) else { continue };
            if !connections.open(number, &stream) {
                break;
            }
            scope.spawn(move || {
                // a client may hang up whenever it likes
                drop(converse(&stream, answer));
                connections.forget(number);
            });
        }
    });
}

fn converse(stream: &TcpStream, answer: &impl Fn(&Request) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        if !answer(&request).send(&request, stream)? {
            break;
        }
    }
    Ok(())
}
