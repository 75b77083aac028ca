//! The bare HTTP exchange: one read and one write of a server that knows its
//! answer beforehand, on connections that stay open.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cpu;
use crate::slices::{Contender, Slice};

const CONNECTIONS: usize = 4;
const REQUEST: &[u8] =
    b"POST /nonce HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\ncontent-length: 0\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: 65\r\n\r\n{\"c_nonce\":\"0123456789012345678901234567890123456789012345678901\"}";

/// A server on a thread of its own, and the connections to it.
pub struct Exchange {
    thread: String,
    connections: Vec<TcpStream>,
}

impl Exchange {
    /// Starts the server; it ends with its connections.
    pub fn new() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || -> Result<()> {
            tell.send(cpu::this_thread()?)?;
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                let (connection, _) = listener.accept()?;
                connection.set_nodelay(true)?;
                connections.push(connection);
            }
            answer(connections)
        });
        let thread = told.recv().context("the bare server did not start")?;
        let connections = (0..CONNECTIONS)
            .map(|_| {
                let connection = TcpStream::connect(address)?;
                connection.set_nodelay(true)?;
                Ok(connection)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            thread,
            connections,
        })
    }
}

fn answer(mut connections: Vec<TcpStream>) -> Result<()> {
    let mut buffer = [0; 512];
    loop {
        for connection in &mut connections {
            if connection.read(&mut buffer)? == 0 {
                return Ok(());
            }
            connection.write_all(ANSWER)?;
        }
    }
}

impl Contender for Exchange {
    fn slice(&mut self, milliseconds: u64) -> Result<Slice> {
        let length = Duration::from_millis(milliseconds);
        let (start, cpu) = (Instant::now(), cpu::of_thread(&self.thread)?);
        let mut operations = 0;
        let mut buffer = [0; 512];
        while start.elapsed() < length {
            for connection in &mut self.connections {
                connection.write_all(REQUEST)?;
            }
            for connection in &mut self.connections {
                let read = connection.read(&mut buffer)?;
                ensure!(
                    buffer[..read] == *ANSWER,
                    "the bare server answered something else"
                );
                operations += 1;
            }
        }
        Ok(Slice {
            operations,
            cpu_us: cpu::of_thread(&self.thread)? - cpu,
        })
    }
}
