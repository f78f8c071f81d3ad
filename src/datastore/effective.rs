//! What is in force of a session: the addresses and ports that its senders do not name, they take over from the
//! endpoints (restconf-pki 2.3).

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Value;

use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

use super::Datastore;
use super::EditError;
use super::error::internal;
use super::index::key_text;
use super::port::Record;
use super::port::Unavailable;
use super::state::ENDPOINTS;
use super::state::SESSIONS;
use super::tree::identifier;

/// A protocol whose senders take over what they do not name.
struct Protocol {
    name: &'static str,
    /// It has `sender-ip`, too.
    has_sender_address: bool,
    /// Where below the sender the reflector's port stands, and its name there and at the reflector.
    port: (Option<&'static str>, &'static str),
    /// What a reflector listens on by default.
    well_known: u16,
}

impl Datastore {
    /// The entries as they are in force, in their order; `None` where that is what was configured. Reads all that they
    /// take over from at once.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn in_force(
        &self,
        tenant: &TenantId,
        collection: &Collection,
        records: &[Record],
    ) -> Result<Vec<Option<Record>>, Unavailable> {
        if self.schema().collection_name(collection) != SESSIONS {
            return Ok(vec![None; records.len()]);
        }
        let entries = self.effective(tenant, records).await?.into_iter();
        let in_force = |(entry, record): (Option<Value>, &Record)| {
            entry.map(|entry| Record {
                body: entry.to_string(),
                ..record.clone()
            })
        };
        Ok(entries.zip(records).map(in_force).collect())
    }

    /// Whether a session's senders know all the addresses that they need.
    pub(super) async fn check_addresses(
        &self,
        tenant: &TenantId,
        (collection, entry): (&Collection, &Step),
        record: &Record,
    ) -> Result<(), EditError> {
        let records = std::slice::from_ref(record);
        let effective = self.effective(tenant, records).await?.pop().flatten();
        let effective = match effective {
            Some(effective) => effective,
            None => serde_json::from_str(&record.body).map_err(|_| internal())?,
        };
        match missing(&effective) {
            None => Ok(()),
            Some(below) => Err(refused(self.schema(), (collection, entry), &below).into()),
        }
    }

    async fn effective(
        &self,
        tenant: &TenantId,
        records: &[Record],
    ) -> Result<Vec<Option<Value>>, Unavailable> {
        let parsed = records.iter().map(|it| serde_json::from_str(&it.body).ok());
        let mut entries: Vec<Option<Value>> = parsed.collect();
        let keys: BTreeSet<String> = entries.iter().flatten().flat_map(lenders).collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let found = self.entries.some(tenant, ENDPOINTS, &keys).await?;
        let addresses = found.into_iter().filter_map(|lender| {
            let body: Value = serde_json::from_str(&lender.body).ok()?;
            Some((lender.key, address(&body)?))
        });
        let addresses: HashMap<String, String> = addresses.collect();
        for entry in &mut entries {
            let lent = entry.as_mut().is_some_and(|entry| {
                let keys = lenders(entry).into_iter();
                let own: Vec<_> = keys.map(|key| addresses.get(&key).cloned()).collect();
                lend(entry, &own)
            });
            if !lent {
                *entry = None;
            }
        }
        Ok(entries)
    }
}

/// The keys of a session's endpoints, in their order.
fn lenders(entry: &Value) -> Vec<String> {
    let id = |endpoint: &Value| {
        let id = endpoint.get("endpoint-id").and_then(Value::as_str);
        key_text(&[id.unwrap_or_default().to_owned()])
    };
    endpoints(entry).iter().map(id).collect()
}

fn endpoints(entry: &Value) -> &[Value] {
    let found = entry.get("service-endpoints").and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The address of an endpoint's configuration, of whatever type it is.
fn address(endpoint: &Value) -> Option<String> {
    let mut configured = endpoint.get("config")?.as_object()?.values();
    let found = configured.find_map(|of_type| of_type.get("ip")?.as_str());
    found.map(str::to_owned)
}

/// Puts what the endpoints have, given their addresses, where a sender names nothing. Returns whether it did.
fn lend(entry: &mut Value, addresses: &[Option<String>]) -> bool {
    let given = endpoints(entry).to_vec();
    let Some(Value::Array(endpoints)) = entry.get_mut("service-endpoints") else {
        return false;
    };
    let mut has_changed = false;
    for (own, endpoint) in endpoints.iter_mut().enumerate() {
        let mut others = (0..given.len()).filter(|index| *index != own);
        // Of several others nobody can tell which is meant.
        let other = match (others.next(), others.next()) {
            (Some(other), None) => Some(other),
            _ => None,
        };
        for protocol in &PROTOCOLS {
            let Some(sender) = endpoint.pointer_mut(&sender(protocol)) else {
                continue;
            };
            let address = |index: usize| addresses.get(index)?.clone().map(Value::from);
            if protocol.has_sender_address {
                has_changed |= put(sender, "sender-ip", address(own));
            }
            has_changed |= put(sender, "reflector-ip", other.and_then(address));
            let (below, name) = protocol.port;
            let port = other.and_then(|other| given.get(other));
            let port = port.map(|other| listens(protocol, other));
            let place = match below {
                None => Some(sender),
                // Only a sender of UDP has it, and only one that is on (Accedian-session-echo).
                Some(below) => sender.get_mut(below),
            };
            has_changed |= place.is_some_and(|place| put(place, name, port));
        }
    }
    has_changed
}

/// What the reflector of an endpoint listens on.
fn listens(protocol: &Protocol, endpoint: &Value) -> Value {
    let path = format!(
        "/session-protocol/{}/session-reflector/{}",
        protocol.name, protocol.port.1
    );
    let port = endpoint.pointer(&path).cloned();
    port.unwrap_or_else(|| protocol.well_known.into())
}

fn sender(protocol: &Protocol) -> String {
    format!("/session-protocol/{}/session-sender", protocol.name)
}

fn put(at: &mut Value, name: &str, value: Option<Value>) -> bool {
    match (at, value) {
        (Value::Object(members), Some(value)) if !members.contains_key(name) => {
            members.insert(name.to_owned(), value);
            true
        }
        _ => false,
    }
}

/// The first address that a sender which is on needs and has not: the endpoint, and the leaf below it.
fn missing(entry: &Value) -> Option<(String, String)> {
    for endpoint in endpoints(entry) {
        for protocol in &PROTOCOLS {
            let path = sender(protocol);
            let Some(sender) = endpoint.pointer(&path) else {
                continue;
            };
            if sender.get("admin-state") != Some(&Value::Bool(true)) {
                continue;
            }
            let own = protocol.has_sender_address.then_some("sender-ip");
            let needed = own.into_iter().chain(["reflector-ip"]);
            for leaf in needed {
                if sender.get(leaf).is_none() {
                    let id = endpoint.get("endpoint-id").and_then(Value::as_str);
                    return Some((id.unwrap_or_default().to_owned(), format!("{path}/{leaf}")));
                }
            }
        }
    }
    None
}

fn refused(
    schema: &Schema,
    (collection, entry): (&Collection, &Step),
    (endpoint, below): &(String, String),
) -> Fault {
    let container = Step {
        node: collection.container,
        keys: Vec::new(),
    };
    let session = identifier(schema, &[container, entry.clone()]);
    let path = format!("{session}/service-endpoints[endpoint-id='{endpoint}']{below}");
    let message = "neither the session nor an endpoint's configuration has the address";
    Fault::new(Tag::DataMissing, message)
        .app_tag("address-missing")
        .at(path)
}

const PROTOCOLS: [Protocol; 3] = [
    Protocol {
        name: "Accedian-session-twamp-light:twamp-light",
        has_sender_address: true,
        port: (None, "reflector-udp-port"),
        well_known: 862,
    },
    Protocol {
        name: "Accedian-session-echo:echo",
        has_sender_address: true,
        port: (Some("udp"), "reflector-udp-port"),
        well_known: 7,
    },
    Protocol {
        name: "Accedian-session-throughput:throughput",
        has_sender_address: false,
        port: (None, "reflector-port"),
        well_known: 5201,
    },
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(protocol: &str, sender: &Value, reflector: &Value) -> Value {
        json!({ "session-id": "s", "service-endpoints": [
            { "endpoint-id": "a", "session-protocol": { protocol: { "session-sender": sender } } },
            { "endpoint-id": "b", "session-protocol": { protocol: { "session-reflector": reflector } } },
        ]})
    }

    #[track_caller]
    fn check(protocol: usize, sent: &Value, reflector: &Value, expected: &Value) {
        let name = PROTOCOLS[protocol].name;
        let mut entry = session(name, sent, reflector);
        let addresses = [Some("192.0.2.1".to_owned()), Some("192.0.2.2".to_owned())];
        lend(&mut entry, &addresses);
        let found = endpoints(&entry)[0].pointer(&sender(&PROTOCOLS[protocol]));
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn sender_takes_over_what_it_does_not_name() {
        check(
            0,
            &json!({}),
            &json!({ "reflector-udp-port": 4000 }),
            &json!({ "sender-ip": "192.0.2.1", "reflector-ip": "192.0.2.2", "reflector-udp-port": 4000 }),
        );
        let named = json!({ "sender-ip": "192.0.2.9", "reflector-ip": "192.0.2.8", "reflector-udp-port": 1 });
        check(0, &named, &json!({ "reflector-udp-port": 2 }), &named);
        check(
            1,
            &json!({ "udp": {} }),
            &json!({}),
            &json!({ "udp": { "reflector-udp-port": 7 }, "sender-ip": "192.0.2.1", "reflector-ip": "192.0.2.2" }),
        );
        check(
            1,
            &json!({}),
            &json!({}),
            &json!({ "sender-ip": "192.0.2.1", "reflector-ip": "192.0.2.2" }),
        );
        check(
            2,
            &json!({}),
            &json!({}),
            &json!({ "reflector-ip": "192.0.2.2", "reflector-port": 5201 }),
        );
    }

    #[test]
    fn address_that_nobody_has_is_missed_where_the_sender_is_on() {
        let name = PROTOCOLS[0].name;
        let on = json!({ "admin-state": true });
        let mut entry = session(name, &on, &json!({}));
        lend(&mut entry, &[Some("192.0.2.1".to_owned()), None]);
        let (endpoint, below) = missing(&entry).unwrap();
        assert_eq!(endpoint, "a");
        assert!(below.ends_with("/session-sender/reflector-ip"), "{below}");
        let off = session(name, &json!({ "admin-state": false }), &json!({}));
        assert_eq!(missing(&off), None);
        // Which of two others reflects is not known.
        let mut three = session(name, &on, &json!({}));
        let third = json!({ "endpoint-id": "c" });
        three["service-endpoints"]
            .as_array_mut()
            .unwrap()
            .push(third);
        lend(&mut three, &vec![Some("192.0.2.1".to_owned()); 3]);
        assert!(missing(&three).unwrap().1.ends_with("reflector-ip"));
    }
}
