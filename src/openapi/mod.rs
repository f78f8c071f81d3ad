//! What the HTTP faces offer, as plain data: a face builds its router from the same [`Operation`]s from which
//! [`document()`] writes its OpenAPI 3.1 description, so neither can have a page that the other has not.

mod document;
mod operation;
mod schema;

pub use document::Document;
pub use document::document;
pub use operation::Access;
pub use operation::Body;
pub use operation::Method;
pub use operation::Operation;
pub use schema::Kind;
pub use schema::Member;
pub use schema::Schema;
pub use schema::may;
pub use schema::must;
pub use schema::nullable;
