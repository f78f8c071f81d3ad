//! Asking for the certificates to be read again.

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::Error;

/// Asks a running gateway to read its certificate files again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader(mpsc::Sender<Asked>);

/// Somebody who waits for the answer.
pub(super) type Asked = oneshot::Sender<Result<(), Error>>;

impl Reloader {
    /// A way to ask, and where the questions come out.
    pub(super) fn new() -> (Self, mpsc::Receiver<Asked>) {
        let (asking, asked) = mpsc::channel(WAITING);
        (Self(asking), asked)
    }

    /// Reads the server's certificate, the authorities of clients and their revocation lists again, and puts them in
    /// force for new handshakes. When anything is wrong with them, everything stays as it was.
    ///
    /// # Errors
    ///
    /// What is wrong; [`Error::Stopping`] when the gateway is about to end.
    pub async fn reload(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.map_err(|_| Error::Stopping)?;
        answered.await.unwrap_or(Err(Error::Stopping))
    }
}

/// Questions that wait: one at a time is asked by a person, the rest are repetitions.
const WAITING: usize = 8;
