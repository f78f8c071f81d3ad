//! TWAMP-light and STAMP measurement, unauthenticated (RFC 5357 appendix I, RFC 8762): a sender and a reflector over
//! UDP, the statistics of each report interval, and their form under the vendor's gNMI model. The one room of its
//! floor that does I/O; all but `sender` and `reflector` is pure. Its caller is `app`.

mod config;
mod error;
mod flight;
mod leaves;
mod loss;
mod meters;
mod mirror;
mod ntp;
mod object;
mod packet;
mod quality;
mod reflector;
mod report;
mod sender;
mod session;
mod socket;
mod spread;
mod table;

pub use config::Dscp;
pub use config::PacketSize;
pub use config::Percentile;
pub use config::Percentiles;
pub use config::ReflectorConfig;
pub use config::Schedule;
pub use config::SenderConfig;
pub use config::SequenceMode;
pub use config::SettingError;
pub use error::Error;
pub use object::Location;
pub use object::MonitoredObject;
pub use quality::Quality;
pub use reflector::Reflector;
pub use report::Direction;
pub use report::Loss;
pub use report::Report;
pub use sender::Sender;
pub use spread::Fixed;
pub use spread::Spread;
pub use spread::Times;

#[cfg(test)]
mod tests;
