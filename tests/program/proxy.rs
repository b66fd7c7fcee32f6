//! A proxy for HTTP on loopback: it forwards requests in absolute form, and tunnels after CONNECT.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It ends with the test's process.
#[derive(Debug)]
pub struct HttpProxy {
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl HttpProxy {
    pub fn start() -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heads);
        thread::spawn(move || {
            for client in socket.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                // Either side may hang up whenever it likes
                thread::spawn(move || drop(serve(client, &noted)));
            }
        });
        Self { address, heads }
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// One request for each connection.
fn serve(client: TcpStream, heads: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    heads.lock().unwrap().push(lines.join("\n"));
    let words: Vec<&str> = lines[0].split(' ').collect();
    if words[0] == "CONNECT" {
        return tunnel(client, TcpStream::connect(words[1])?);
    }
    let (host, path) = words[1].strip_prefix("http://").unwrap().split_once('/').unwrap();
    let rest = lines[1..].iter().filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"));
    let rest: String = rest.flat_map(|line| [line.as_str(), "\r\n"]).collect();
    let length = lines
        .iter()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let mut server = TcpStream::connect(host)?;
    write!(server, "{} /{path} HTTP/1.1\r\nConnection: close\r\n{rest}\r\n", words[0])?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut &client)?;
    client.shutdown(Shutdown::Both)
}

fn tunnel(mut client: TcpStream, server: TcpStream) -> io::Result<()> {
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut up, mut down) = (client.try_clone()?, server.try_clone()?);
    let upwards = thread::spawn(move || {
        let _ = io::copy(&mut up, &mut &server);
        let _ = server.shutdown(Shutdown::Both);
    });
    let copied = io::copy(&mut down, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = upwards.join();
    copied.map(drop)
}
