//! The core against a naive model, with subscribers that join, lag and leave at random.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::Model;
use super::reader::Event;
use super::reader::Reader;
use super::reader::events;
use super::*;
use crate::model::Edit;

/// So few that writes meet the limit.
const MAX_LEAVES: usize = 30;

type View = BTreeMap<(Target, Path), Value>;

#[derive(Clone, Debug)]
enum Op {
    Join(SubscriptionList),
    Leave(prop::sample::Index),
    Publish(usize, Notification),
    Pump,
    /// One subscriber takes so many chunks.
    Read(prop::sample::Index, usize),
    RemoveTarget(usize, Target),
    Set(usize, Target, Vec<Edit>),
    /// So many seconds pass.
    Tick(i64),
}

fn path_text() -> impl Strategy<Value = String> {
    let under = prop::sample::select(vec!["/v", "/w/x", "/w/y", "/w", "", "/v/deep"]);
    let hot = prop::sample::select(vec!["/a/v", "/a/w/x", "/e[k=1]/w/y"]).prop_map(str::to_owned);
    let at = prop::sample::select(vec![
        "/a",
        "/b",
        "/e[k=1]",
        "/e[k=2]",
        "/e[l=2]",
        "accedian:/a",
    ]);
    let any = (at, under).prop_map(|(at, under)| format!("{at}{under}"));
    prop_oneof![any, hot]
}

fn label() -> impl Strategy<Value = Update> {
    let value = prop::sample::select(vec!["east", "west"]);
    let at = prop::sample::select(vec!["/a", "/e[k=1]", "/e[k=2]", "/e[l=2]"]);
    (at, value).prop_map(|(at, value)| Update {
        path: path(&format!("{at}/meta/data[name=usage]/val")),
        value: Value::string(value),
    })
}

fn pattern_text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/",
        "/a",
        "/e",
        "/e[k=1]",
        "/e[k=*]/w",
        "/*/v",
        "/.../x",
        "/.../w/...",
        "/e/w",
        "/*/w/y",
        "accedian:/",
        "/a/meta",
        "/b/w/x",
    ])
}

fn asked() -> impl Strategy<Value = &'static str> {
    let labelled = prop::sample::select(vec![
        "/e[meta/data/name/usage=east]/w",
        "/*[meta/data/name/usage=east]",
        "/e[meta/data/name/usage=west][k=1]/v",
    ]);
    prop_oneof![3 => pattern_text(), 1 => labelled]
}

/// Values tell the tenant: even ones are the first's.
fn updates(tenant: usize) -> impl Strategy<Value = Vec<Update>> {
    let tenant = i64::try_from(tenant).unwrap();
    let leaf =
        (path_text(), 0..4_i64).prop_map(move |(path, value)| update(&path, value * 2 + tenant));
    vec(prop_oneof![4 => leaf, 1 => label()], 0..4)
}

fn target() -> impl Strategy<Value = Target> {
    prop::sample::select(vec!["", "", "", "r1"]).prop_map(Target::new)
}

fn publish_op(tenant: usize) -> impl Strategy<Value = Op> {
    let prefix = prop::sample::select(vec!["/a", "/a/w", "/e[k=1]", "/e[k=1]/w", "/b"]);
    let deletes = prop_oneof![3 => Just(Vec::new()), 1 => vec(pattern_text(), 1..3)];
    let parts = (
        target(),
        prop::option::weighted(0.3, prefix),
        deletes,
        updates(tenant),
    );
    let notification = parts.prop_map(|(target, prefix, deletes, mut updates)| {
        let atomic = prefix.map(path);
        if let Some(prefix) = &atomic {
            updates.retain(|update| update.path.is_under(prefix));
        }
        Notification {
            target,
            atomic,
            updates,
            ..notification(&deletes, &[])
        }
    });
    notification.prop_map(move |it| Op::Publish(tenant, it))
}

fn set_op(tenant: usize) -> impl Strategy<Value = Op> {
    let replace = (path_text(), updates(tenant)).prop_map(|(at, mut updates)| {
        let at = path(&at);
        updates.retain(|update| update.path.is_under(&at));
        Edit::Replace(at, updates)
    });
    let edit = prop_oneof![
        1 => pattern_text().prop_map(|text| Edit::Delete(pattern(text))),
        1 => replace,
        2 => updates(tenant).prop_map(Edit::Update),
    ];
    (target(), vec(edit, 1..4)).prop_map(move |(target, edits)| Op::Set(tenant, target, edits))
}

fn join_op() -> impl Strategy<Value = Op> {
    let selector = prop_oneof![
        Just(TargetSelector::All),
        vec(target(), 0..3).prop_map(|some| TargetSelector::Among(some.into())),
        target().prop_map(TargetSelector::One)
    ];
    let parts = (
        selector,
        vec(asked(), 1..4),
        any::<bool>(),
        prop::option::weighted(0.2, 1..3_u32),
    );
    parts.prop_map(|(target, texts, beats, depth)| {
        // A group's sample shows its own pattern alone, so a reader cannot join it with another's.
        let heartbeat = (beats && texts.len() == 1).then_some(10 * SECOND);
        let list = list(&texts, Trigger::OnChange { heartbeat });
        Op::Join(SubscriptionList {
            target,
            depth,
            ..list
        })
    })
}

fn op() -> impl Strategy<Value = Op> {
    let tenant = || prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    prop_oneof![
        2 => join_op(),
        1 => any::<prop::sample::Index>().prop_map(Op::Leave),
        6 => tenant().prop_flat_map(publish_op),
        4 => tenant().prop_flat_map(set_op),
        4 => Just(Op::Pump),
        3 => (any::<prop::sample::Index>(), 1..4_usize).prop_map(|(who, most)| Op::Read(who, most)),
        1 => (tenant(), target()).prop_map(|(tenant, target)| Op::RemoveTarget(tenant, target)),
        1 => (1..20_i64).prop_map(Op::Tick),
    ]
}

/// A subscriber of the first tenant, and what it knows by what it was sent.
struct Client {
    list: SubscriptionList,
    reader: Reader,
    syncs: usize,
    view: View,
}

impl Client {
    /// Reads up to `most` chunks.
    fn read(&mut self, most: usize) {
        for _ in 0..most {
            let Some(events) = self.reader.next().unwrap() else {
                return;
            };
            for event in events {
                self.apply(event);
            }
        }
    }

    fn apply(&mut self, event: Event) {
        let beats = Trigger::OnChange { heartbeat: None } != self.list.subscriptions[0].trigger;
        match event {
            Event::Sync => self.syncs += 1,
            Event::Delete(target, path) => {
                self.view
                    .retain(|(of, leaf), _| *of != target || !leaf.is_under(&path));
            }
            Event::Atomic(target, prefix, leaves) => {
                self.view
                    .retain(|(of, leaf), _| *of != target || !leaf.is_under(&prefix));
                for leaf in leaves {
                    self.put((target.clone(), leaf.path), leaf.value);
                }
            }
            Event::Update(target, leaf) => {
                let (is_counted, place) = (leaf.duplicates > 0, (target, leaf.path));
                let before = self.put(place.clone(), leaf.value.clone());
                // Of a leaf that lags, values in between may have been dropped.
                let is_news = before.as_ref() != Some(&leaf.value) || is_counted || beats;
                assert!(is_news, "{place:?} again without a change");
            }
        }
    }

    fn put(&mut self, place: (Target, Path), value: Value) -> Option<Value> {
        if let Value::Int(value) = value {
            assert_eq!(value % 2, 0, "a leaf of another tenant");
        }
        self.view.insert(place, value)
    }

    fn check(&mut self, core: &Core, model: &Model) {
        self.read(usize::MAX);
        assert_eq!(self.syncs, 1);
        let list = &self.list;
        let patterns: Vec<_> = list
            .subscriptions
            .iter()
            .map(|it| it.pattern.clone())
            .collect();
        let mut snapshot = core.snapshot(&tenants()[0], &list.target, &patterns, list.depth);
        let mut now = View::new();
        while let Some(chunk) = snapshot.next_chunk(Encoding::Proto) {
            for event in events(chunk) {
                let (target, leaves) = match event {
                    Event::Atomic(target, _, leaves) => (target, leaves),
                    Event::Update(target, leaf) => (target, vec![leaf]),
                    other => panic!("unexpected {other:?}"),
                };
                now.extend(
                    leaves
                        .into_iter()
                        .map(|leaf| ((target.clone(), leaf.path), leaf.value)),
                );
            }
        }
        assert_eq!(self.view, now, "{list:?}");
        if patterns
            .iter()
            .all(|pattern| !pattern.to_string().contains("meta/data/name"))
        {
            assert_eq!(now, model.view(&list.target, &patterns, list.depth));
        }
    }
}

fn tenants() -> [TenantId; 2] {
    [tenant(), TenantId::new("other")]
}

struct World {
    core: Core,
    models: [Model; 2],
    clients: Vec<Client>,
    now: Timestamp,
}

impl World {
    fn run(&mut self, op: Op) {
        let tenants = tenants();
        match op {
            Op::Join(list) => {
                let subscriber = self
                    .core
                    .subscribe(&tenants[0], &list, Encoding::Proto, self.now);
                let (reader, view) = (Reader::new(subscriber), View::new());
                self.clients.push(Client {
                    list,
                    reader,
                    syncs: 0,
                    view,
                });
            }
            Op::Leave(who) if self.clients.len() > 2 => {
                self.clients.remove(who.index(self.clients.len()));
            }
            Op::Publish(tenant, it) => {
                let written = self.core.publish(&tenants[tenant], &it);
                let steps = |naive: &mut model::Naive, max| naive.publish(&it, max);
                let wanted = self.models[tenant].write(&it.target, MAX_LEAVES, steps);
                assert_eq!(written.is_ok(), wanted.is_ok(), "{written:?}");
            }
            Op::Pump => {
                self.core.pump();
            }
            Op::Read(who, most) if !self.clients.is_empty() => {
                let who = who.index(self.clients.len());
                self.clients[who].read(most);
            }
            Op::RemoveTarget(tenant, target) => {
                self.core.remove_target(&tenants[tenant], &target, self.now);
                self.models[tenant].targets.remove(&target);
            }
            Op::Set(tenant, target, edits) => self.set(tenant, &target, &edits),
            Op::Tick(seconds) => {
                self.now = Timestamp::from_secs(self.now.secs() + seconds);
                self.core.tick(self.now);
            }
            Op::Leave(_) | Op::Read(..) => {}
        }
    }

    fn set(&mut self, tenant: usize, target: &Target, edits: &[Edit]) {
        let id = &tenants()[tenant];
        let written = self.core.set(id, target, self.now, edits);
        let steps =
            |naive: &mut model::Naive, max| edits.iter().try_for_each(|it| naive.edit(it, max));
        let wanted = self.models[tenant].write(target, MAX_LEAVES, steps);
        assert_eq!(written.is_ok(), wanted.is_ok(), "{written:?}");
    }
}

proptest! {
    // Many, since what may fail is the meeting of several rare things.
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn core_tells_each_subscriber_what_it_asked_for(ops in vec(op(), 1..80)) {
        let core = Core::new(Config { max_leaves: MAX_LEAVES, ..config() });
        let mut world = World {
            core,
            models: Default::default(),
            clients: Vec::new(),
            now: Timestamp::from_secs(1),
        };
        for op in ops {
            world.run(op);
            for (tenant, model) in tenants().iter().zip(&world.models) {
                prop_assert_eq!(world.core.leaves(tenant), model.leaves());
            }
        }
        world.core.pump();
        let World { core, models, clients, .. } = &mut world;
        for client in clients {
            client.check(core, &models[0]);
        }
    }
}
