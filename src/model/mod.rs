//! The field's words as plain data: whose data, which path, what value, when, and what was asked for.
//! Nothing here does I/O, knows a wire format, or can fail but by parsing.

mod certificate;
mod class;
mod expiry;
mod name;
mod notification;
mod path;
mod pattern;
mod peer;
mod subscription;
mod timestamp;
mod value;

pub use certificate::ClientCertificate;
pub use certificate::Holder;
pub use certificate::NotASerial;
pub use certificate::Serial;
pub use class::Class;
pub use expiry::Expiry;
pub use name::Origin;
pub use name::Target;
pub use name::TenantId;
pub use notification::Edit;
pub use notification::Nature;
pub use notification::Notification;
pub use notification::Update;
pub use path::Elem;
pub use path::Path;
pub use path::write_key;
pub use path::write_name;
pub use pattern::Glob;
pub use pattern::GlobElem;
pub use pattern::LABEL_KEY_PREFIX;
pub use pattern::Pattern;
pub use peer::Alpn;
pub use peer::Peer;
pub use subscription::Mode;
pub use subscription::Subscription;
pub use subscription::SubscriptionList;
pub use subscription::Suppress;
pub use subscription::TargetSelector;
pub use subscription::Trigger;
pub use timestamp::NotATime;
pub use timestamp::Timestamp;
pub use value::Value;
