//! As much of HTTP/1.1 as an OpenStack client speaks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const BODY_LIMIT: u64 = 1 << 20;

pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the next request; `None` when the client has hung up between two requests.
    pub fn read(stream: &mut BufReader<&TcpStream>) -> io::Result<Option<Self>> {
        let Some(line) = read_line(stream)? else { return Ok(None) };
        let mut words = line.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        while let Some(line) = read_line(stream)?.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            request.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let length = request.header("content-length").map_or(Ok(0), str::parse::<u64>);
        let length = length.ok().filter(|length| *length <= BODY_LIMIT).ok_or(io::ErrorKind::InvalidData)?;
        stream.take(length).read_to_end(&mut request.body)?;
        Ok(Some(request))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    pub fn wants_close(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

#[derive(Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }.with("Content-Type", content_type)
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub fn html(status: u16, title: &str, text: &str) -> Self {
        let page = format!("<html><h1>{title}</h1><p>{text}</p></html>");
        Self::new(status, "text/html; charset=UTF-8", page)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    fn head(&self, framing: &str) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason_phrase(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head + framing + "\r\n"
    }
}

/// What goes over the wire: a whole response, or less, or more.
pub enum Reply {
    Whole(Response),
    /// More is promised than comes.
    Truncated {
        response: Response,
        promised: u64,
        sent: usize,
    },
    Endless(Response),
    HangUp,
    Silence,
}

impl Reply {
    /// Sends the reply and says whether the connection can carry another one.
    pub fn send(&self, request: &Request, mut stream: &TcpStream) -> io::Result<bool> {
        match self {
            Self::Whole(response) => {
                let mut bytes = response.head(&framing(response)).into_bytes();
                if request.method != "HEAD" {
                    bytes.extend_from_slice(&response.body);
                }
                stream.write_all(&bytes)?;
                Ok(!request.wants_close())
            }
            Self::Truncated { response, promised, sent } => {
                stream.write_all(response.head(&format!("Content-Length: {promised}\r\n")).as_bytes())?;
                stream.write_all(&response.body[..*sent])?;
                Ok(false)
            }
            Self::Endless(response) => send_endlessly(response, stream),
            Self::HangUp => Ok(false),
            Self::Silence => {
                io::copy(&mut stream, &mut io::sink())?;
                Ok(false)
            }
        }
    }
}

fn framing(response: &Response) -> String {
    // RFC 9110 §8.6: a 204 or 304 must not announce a length of its own
    if matches!(response.status, 204 | 304) {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", response.body.len())
    }
}

/// Ends by the error that the client's hanging up, or the server's end, causes.
fn send_endlessly(response: &Response, mut stream: &TcpStream) -> io::Result<bool> {
    stream.write_all(response.head("Transfer-Encoding: chunked\r\n").as_bytes())?;
    let mut chunk = b"4000\r\n".to_vec();
    chunk.extend([b' '; 0x4000]);
    chunk.extend(b"\r\n");
    loop {
        stream.write_all(&chunk)?;
    }
}

fn read_line(stream: &mut BufReader<&TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = stream.take(1 << 16).read_line(&mut line)?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        300 => "Multiple Choices",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
