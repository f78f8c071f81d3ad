//! `tollgate reload`: asks the running gateway, over its admin port, to read its certificate files again.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::Settings;

use super::output;
use super::sources::SourceArgs;

/// Why nothing was reloaded.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// Nobody answers where the configuration says that the admin port is.
    #[error("no gateway answers on {address}")]
    Nobody {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// The gateway keeps what it has.
    #[error("gateway keeps its certificates: {0}")]
    Refused(String),
}

/// Asks, and says what came of it.
pub(super) fn run(args: &SourceArgs) -> ExitCode {
    let settings = match args.read(Settings::load) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&error),
    };
    match runtime.block_on(ask(settings.admin.listen)) {
        Ok(()) => {
            let _printed = output::line("certificates are reloaded");
            ExitCode::SUCCESS
        }
        Err(error) => output::failure(&error),
    }
}

async fn ask(address: SocketAddr) -> Result<(), ReloadError> {
    let nobody = |source| ReloadError::Nobody { address, source };
    let answer = timeout(PATIENCE, exchange(address))
        .await
        .map_err(|_| nobody(io::ErrorKind::TimedOut.into()))?
        .map_err(nobody)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(ReloadError::Refused(body.trim().to_owned()))
    }
}

/// One request, and all that is answered.
async fn exchange(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

const REQUEST: &[u8] =
    b"POST /reload HTTP/1.1\r\nhost: tollgate\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Reading a few files takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The reasons of a refusal take some hundred bytes.
const MAX_ANSWER: u64 = 64 << 10;
