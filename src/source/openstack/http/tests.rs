use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::*;

const SHORT: Patience = Patience {
    connect: Duration::from_millis(200),
    idle: Duration::from_millis(300),
    whole: Duration::from_millis(1200),
    all: Duration::from_secs(5),
    farewell: Duration::from_millis(100),
    tries: 3,
    first_pause: Duration::from_millis(10),
    retry_within: Duration::from_secs(1),
};

/// What becomes of a GET of a server that does `serve` with each connection, and how long that took.
fn ask(
    scheme: &str,
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) -> (Result<Answer, SourceError>, Duration) {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("{scheme}://{}/", socket.local_addr().unwrap());
    // It ends with the process: nothing can wake an accept() from outside
    thread::spawn(move || socket.incoming().map_while(Result::ok).for_each(&serve));
    let begun = Instant::now();
    (get(&Http::with(Client::builder(), &Rc::default(), false, SHORT).unwrap(), &url), begun.elapsed())
}

fn get(http: &Http, url: &str) -> Result<Answer, SourceError> {
    send(http, Method::GET, url)
}

fn send(http: &Http, method: Method, url: &str) -> Result<Answer, SourceError> {
    let token = SecretValue::copy_of("made up");
    let request = Request::new(Service::Heat, method, Url::parse(url).unwrap(), &token);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(http.send(request))
}

fn read_request(stream: &mut TcpStream) {
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
}

#[test]
fn a_handshake_that_never_ends_is_given_up_with_the_connection() {
    let (answer, took) = ask("https", |mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let error = answer.err().unwrap().to_string();
    assert!(error.starts_with("Heat cannot be reached at https://127.0.0.1:"), "{error}");
    assert!(error.ends_with(": no answer within 1 s"), "{error}");
    assert!(took < SHORT.whole, "{took:?}");
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let (answer, took) = ask("http", |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").unwrap();
        drop(stream.read_to_end(&mut Vec::new()));
    });
    assert_eq!(answer.err().unwrap().to_string(), "Heat did not answer within 1 s");
    assert!(took < SHORT.whole, "{took:?}");
}

#[test]
fn the_end_of_a_token_is_waited_for_less_than_an_answer() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let http = Http::with(Client::builder(), &Rc::default(), false, SHORT).unwrap();
    let begun = Instant::now();
    assert!(send(&http, Method::DELETE, &url).is_err());
    assert!(begun.elapsed() < SHORT.idle, "{:?}", begun.elapsed());
}

#[test]
fn a_server_that_drips_is_given_up_after_the_whole_time() {
    let (answer, took) = ask("http", |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n").unwrap();
        for _ in 0..100 {
            // The pace of a slow server, which is what is tested
            thread::sleep(SHORT.idle / 6);
            if stream.write_all(b" ").is_err() {
                break;
            }
        }
    });
    assert_eq!(answer.err().unwrap().to_string(), "Heat did not answer within 1 s");
    assert!(took >= SHORT.whole && took < 2 * SHORT.whole, "{took:?}");
}

#[test]
fn a_connection_that_is_always_cut_is_tried_so_often_and_no_more() {
    let (answer, took) = ask("http", |mut stream| read_request(&mut stream));
    assert_eq!(answer.err().unwrap().to_string(), "Heat's answer broke off");
    assert!(took < SHORT.whole, "{took:?}");
}

#[test]
fn what_speaks_no_tls_is_said() {
    let (answer, _) = ask("https", |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let error = answer.err().unwrap().to_string();
    assert!(error.ends_with(": it does not speak TLS"), "{error}");
}

#[test]
fn a_proxy_that_is_at_fault_is_named_without_its_password() {
    let proxies = |text: &str| {
        let value = text.to_owned();
        Proxies::find(|name| (name == "all_proxy").then(|| SecretValue::copy_of(&value)))
    };
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let (wants_login, refuses) = (proxy_that_says("407 No"), proxy_that_says("403 No"));
    for (proxy, url, error) in [
        (closed, "http://heat.invalid", "the proxy {} does not lead to Heat: connection refused"),
        (closed, "https://heat.invalid", "the proxy {} does not lead to Heat: connection refused"),
        (wants_login, "http://heat.invalid", "the proxy before Heat wants a login (407)"),
        (wants_login, "https://heat.invalid", "the proxy before Heat wants a login (407)"),
        (refuses, "https://heat.invalid", "the proxy {} does not lead to Heat: it refuses the connection"),
    ] {
        let proxies = Rc::new(proxies(&format!("http://user:hunter2@{proxy}")));
        let http = Http::with(Client::builder(), &proxies, false, SHORT).unwrap();
        let answer = get(&http, url).and_then(|answer| Err::<Answer, _>(answer.unexpected(Service::Heat)));
        assert_eq!(answer.err().unwrap().to_string(), error.replace("{}", &proxy.to_string()));
    }
}

fn proxy_that_says(status: &'static str) -> SocketAddr {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in socket.incoming().map_while(Result::ok) {
            read_request(&mut stream);
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    address
}
