//! Who may read configuration in the tree, and which requests are about it.

use crate::gnmi::error::Error;
use crate::gnmi::request::GetRequest;
use crate::iam::Permit;
use crate::model::Origin;
use crate::model::Pattern;
use crate::model::Subscription;
use crate::model::SubscriptionList;
use crate::model::TargetSelector;
use crate::wire::RFC7951;

/// Whether an origin is that of the datastore.
pub(in crate::gnmi) fn is_provisioned(origin: &Origin) -> bool {
    origin.as_str() == RFC7951
}

/// What a request wants of the datastore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::gnmi) enum Need {
    /// Nothing: it is about other data.
    Nothing,
    /// What there is, among the data of other origins.
    Among,
    /// The datastore's data, by name.
    Named,
}

/// Whether a request reaches what the datastore holds: data of the gateway itself, of its origin or of all.
pub(in crate::gnmi) fn need<'p>(
    selector: &TargetSelector,
    patterns: impl IntoIterator<Item = &'p Pattern>,
) -> Need {
    if !is_own(selector) {
        return Need::Nothing;
    }
    let needs = patterns.into_iter().map(|pattern| match &pattern.origin {
        None => Need::Among,
        Some(origin) if is_provisioned(origin) => Need::Named,
        Some(_) => Need::Nothing,
    });
    needs.max().unwrap_or(Need::Nothing)
}

/// What of a Get is left to somebody whose role reads telemetry alone.
pub(in crate::gnmi) fn narrow(request: GetRequest, permit: &Permit) -> Result<GetRequest, Error> {
    if permit.covers_config() || !is_own(&request.selector) {
        return Ok(request);
    }
    let mut paths = Vec::with_capacity(request.paths.len());
    for (patterns, text) in request.paths {
        let mut left = Vec::new();
        for pattern in patterns {
            left.extend(telemetry(pattern)?);
        }
        paths.push((left, text));
    }
    Ok(GetRequest { paths, ..request })
}

/// What of a Subscribe is left to them.
pub(in crate::gnmi) fn narrow_list(
    list: SubscriptionList,
    permit: &Permit,
) -> Result<SubscriptionList, Error> {
    if permit.covers_config() || !is_own(&list.target) {
        return Ok(list);
    }
    let mut subscriptions = Vec::with_capacity(list.subscriptions.len());
    for Subscription { pattern, trigger } in list.subscriptions {
        let with = |pattern| Subscription { pattern, trigger };
        subscriptions.extend(telemetry(pattern)?.into_iter().map(with));
    }
    Ok(SubscriptionList {
        subscriptions,
        ..list
    })
}

/// What is named is refused; of all origins the telemetry is left that has one without a name, and the measurements.
fn telemetry(pattern: Pattern) -> Result<Vec<Pattern>, Error> {
    match &pattern.origin {
        Some(origin) if is_provisioned(origin) => Err(Error::ConfigDenied),
        Some(_) => Ok(vec![pattern]),
        None => Ok([Origin::default(), Origin::new(MEASUREMENTS)]
            .map(|origin| Pattern {
                origin: Some(origin),
                ..pattern.clone()
            })
            .into()),
    }
}

fn is_own(selector: &TargetSelector) -> bool {
    matches!(selector, TargetSelector::One(target) if target.is_own())
}

const MEASUREMENTS: &str = "accedian";
