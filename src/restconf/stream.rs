//! Collections, page by page: an answer never holds more than one page of entries.

use std::collections::VecDeque;

use axum::body::Body;
use axum::body::Bytes;
use futures_util::stream;

use crate::datastore::Datastore;
use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Format;

use super::error::Refusal;
use super::render::EntryWriter;

/// Where a collection's entries come from, and how they are written.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    datastore: Datastore,
    tenant: TenantId,
    writer: EntryWriter,
    after: Option<String>,
    is_over: bool,
}

/// A piece of an answer.
#[derive(Debug)]
pub(super) enum Piece {
    /// All of a collection's entries; before the first and after the last of them stands this, if there is one.
    Entries {
        pages: Box<Pages>,
        before: String,
        after: String,
    },
    /// Members of the object that the next entries are members of, too.
    Members(String),
    /// Text.
    Text(String),
}

impl Pages {
    pub(super) fn new(datastore: Datastore, tenant: TenantId, writer: EntryWriter) -> Self {
        Self {
            datastore,
            tenant,
            writer,
            after: None,
            is_over: false,
        }
    }

    fn collection(&self) -> &Collection {
        &self.writer.collection
    }

    /// The next entries that are wanted; `None` when there are no more.
    async fn next(&mut self) -> Result<Option<Vec<String>>, Refusal> {
        while !self.is_over {
            let after = self.after.as_deref();
            let page = self
                .datastore
                .page(&self.tenant, self.collection(), after)
                .await?;
            let Some(last) = page.last() else {
                self.is_over = true;
                break;
            };
            self.after = Some(last.key.clone());
            let mut in_force = Vec::new();
            if self.writer.view.in_force {
                let lent = self
                    .datastore
                    .in_force(&self.tenant, self.collection(), &page);
                in_force = lent.await?;
            }
            let writer = self.writer.clone();
            let written = tokio::task::spawn_blocking(move || {
                let in_force = in_force.iter().map(Option::as_ref);
                let entries = page.iter().zip(in_force.chain(std::iter::repeat(None)));
                let entries = entries.map(|(record, in_force)| writer.entry(record, in_force));
                entries
                    .filter_map(Result::transpose)
                    .collect::<Result<Vec<_>, _>>()
            });
            let written = written.await.map_err(|_| Refusal::internal())??;
            if !written.is_empty() {
                return Ok(Some(written));
            }
        }
        Ok(None)
    }
}

/// The pieces as one body. Its first part is made before the answer begins, so that a store that does not answer is an
/// error; what fails later breaks the body off.
pub(super) async fn body(pieces: Vec<Piece>, format: Format) -> Result<Body, Refusal> {
    let mut writing = Writing {
        pieces: pieces.into(),
        format,
        has_begun: false,
        has_members: false,
    };
    let first = writing.next().await?;
    let stream = stream::unfold((first, writing), async |(ready, mut writing)| {
        let ready = ready?;
        let next = writing.next().await;
        match next {
            Ok(next) => Some((Ok(Bytes::from(ready)), (next, writing))),
            Err(_) => Some((Err(BrokenOff), (None, writing))),
        }
    });
    Ok(Body::from_stream(stream))
}

/// The store stopped answering on the way.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("answer breaks off")]
struct BrokenOff;

struct Writing {
    pieces: VecDeque<Piece>,
    format: Format,
    /// The first of the collection's entries are written.
    has_begun: bool,
    /// The object around has members, so that the next needs a comma.
    has_members: bool,
}

impl Writing {
    /// Text that is not empty, or nothing more.
    async fn next(&mut self) -> Result<Option<String>, Refusal> {
        while let Some(piece) = self.pieces.front_mut() {
            let (pages, before, after) = match piece {
                Piece::Text(text) | Piece::Members(text) => {
                    let text = std::mem::take(text);
                    let piece = self.pieces.pop_front();
                    self.has_members |=
                        matches!(piece, Some(Piece::Members(_))) && !text.is_empty();
                    if text.is_empty() {
                        continue;
                    }
                    return Ok(Some(text));
                }
                Piece::Entries {
                    pages,
                    before,
                    after,
                } => (pages, before, after),
            };
            let between = match self.format {
                Format::Json => ",",
                Format::Xml => "",
            };
            let Some(entries) = pages.next().await? else {
                let end = std::mem::take(after);
                let has_begun = std::mem::take(&mut self.has_begun);
                self.has_members |= has_begun;
                self.pieces.pop_front();
                if has_begun && !end.is_empty() {
                    return Ok(Some(end));
                }
                continue;
            };
            let comma = if self.has_begun || self.has_members {
                between
            } else {
                ""
            };
            let start = if self.has_begun { "" } else { before.as_str() };
            let text = format!("{comma}{start}{}", entries.join(between));
            self.has_begun = true;
            return Ok(Some(text));
        }
        Ok(None)
    }
}
