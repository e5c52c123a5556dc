//! A site and a resolver of the tests' own, which count what they are asked.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use model::connector::Pending;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::outbound::Lookup;

/// A site that keeps the head of every request and answers as its path asks.
#[derive(Debug, Clone)]
pub(crate) struct FakeSite {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl FakeSite {
    pub(crate) async fn on(ip: &str) -> Self {
        Self::on_port(ip, 0).await
    }

    pub(crate) async fn on_port(ip: &str, port: u16) -> Self {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let site =
            Self { address: listener.local_addr().unwrap(), heads: Arc::new(Mutex::default()) };
        let (heads, port) = (Arc::clone(&site.heads), site.address.port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&heads), port));
            }
        });
        site
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, heads: Arc<Mutex<Vec<String>>>, port: u16) {
    // A connection counts, whether or not anything is said.
    let place = {
        let mut heads = heads.lock().unwrap();
        heads.push(String::new());
        heads.len() - 1
    };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().unwrap()[place] = head;
    // Whoever asked may have hung up.
    drop(answer(&mut stream, &path, port).await);
}

async fn answer(stream: &mut TcpStream, path: &str, port: u16) -> io::Result<()> {
    let text: String = match path {
        "/elsewhere" => format!(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{port}/inside\r\ncontent-length: \
             0\r\n\r\n"
        ),
        "/declared" => "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_owned(),
        "/packed" => {
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\u{1f}x"
                .to_owned()
        }
        "/endless" | "/drip" | "/lines" | "/open" | "/cut" => {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
        }
        "/headers" => "HTTP/1.1 200 OK\r\n".to_owned(),
        "/gone" => "HTTP/1.1 410 Gone\r\ncontent-length: 4\r\n\r\nlate".to_owned(),
        "/noise" => "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
        "/silence" => String::new(),
        _ => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
    };
    stream.write_all(text.as_bytes()).await?;
    match path {
        "/endless" => loop {
            stream.write_all(format!("1000\r\n{}\r\n", "x".repeat(4096)).as_bytes()).await?;
        },
        "/headers" => loop {
            stream.write_all(format!("x-more: {}\r\n", "x".repeat(1000)).as_bytes()).await?;
        },
        // One byte, and then only the connection.
        "/drip" => {
            stream.write_all(b"1\r\nx\r\n").await?;
            std::future::pending().await
        }
        // Lines whose breaks fall anywhere; the end, a connection that stays, one that is cut.
        "/lines" => {
            stream.write_all(b"3\r\none\r\n8\r\n\ntwo\n\nth\r\n4\r\nree\n\r\n0\r\n\r\n").await
        }
        "/open" => {
            stream.write_all(b"4\r\none\n\r\n").await?;
            std::future::pending().await
        }
        "/cut" => stream.write_all(b"6\r\none\ntw\r\n0\r\n\r\n").await,
        "/silence" => std::future::pending().await,
        _ => Ok(()),
    }
}

/// A resolver with an answer for each question, in order; the last one is repeated.
#[derive(Debug, Default)]
pub(crate) struct FakeResolver {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl FakeResolver {
    pub(crate) fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |ips: &&[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Lookup for FakeResolver {
    fn lookup<'a>(&'a self, name: &'a str) -> Pending<'a, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}
