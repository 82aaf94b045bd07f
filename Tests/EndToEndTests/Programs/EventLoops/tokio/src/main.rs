//! See exchange.h: the same with tokio.

use std::{env, error::Error, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::{net::TcpStream, runtime, time};

async fn exchange(host: String, port: u16, limit: Duration) -> Result<String, Box<dyn Error + Send + Sync>> {
    let mut stream = time::timeout(limit, TcpStream::connect((host.as_str(), port))).await??;
    stream.write_all(format!("{host}\n").as_bytes()).await?;
    stream.shutdown().await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

fn main() {
    let limit = env::var("LIMIT").map_or(30000, |text| text.parse().unwrap());
    let arguments: Vec<String> = env::args().skip(1).collect();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let exchanges: Vec<_> = arguments
            .chunks(2)
            .map(|target| {
                let (host, port) = (target[0].clone(), target[1].parse().unwrap());
                tokio::spawn(exchange(host, port, Duration::from_millis(limit)))
            })
            .collect();
        for exchange in exchanges {
            match exchange.await.unwrap() {
                Ok(text) => print!("{text}"),
                Err(error) => println!("{error}"),
            }
        }
    });
}
