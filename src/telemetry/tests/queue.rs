//! Any interleaving of offers and takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use proptest::collection::vec;
use proptest::prelude::*;

use super::config;
use super::path;
use crate::model::Nature;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Value;
use crate::telemetry::effects::deletion;
use crate::telemetry::group::Group;
use crate::telemetry::group::GroupView;
use crate::telemetry::item::Batch;
use crate::telemetry::item::Item;
use crate::telemetry::leaf::Leaf;
use crate::telemetry::leaf::State;
use crate::telemetry::queue::Queue;
use crate::telemetry::queue::Taken;

const LEAVES: usize = 6;

#[derive(Clone, Debug)]
enum Op {
    /// Changes of leaves, each with values that came before in the same turn, in batches of one.
    Change(Vec<(usize, u32)>),
    Delete(usize),
    /// The first so many leaves as one group; the others go.
    Group(usize),
    Take,
}

fn op(with_voids: bool) -> impl Strategy<Value = Op> {
    let voids = u32::from(with_voids) * 2;
    prop_oneof![
        4 => vec((0..LEAVES, 0..3_u32), 1..12).prop_map(Op::Change),
        voids => (0..LEAVES).prop_map(Op::Delete),
        voids => (1..=LEAVES).prop_map(Op::Group),
        1 => Just(Op::Take),
    ]
}

/// A writer's side: what was written, and the leaves as they are.
struct World {
    leaves: Vec<Arc<Leaf>>,
    next_id: u64,
    turn: u64,
    /// Counts all changes; what a leaf holds.
    version: u64,
    /// By leaf: all that was written, deletes as `None`.
    written: Vec<Vec<Option<u64>>>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            leaves: Vec::new(),
            next_id: 0,
            turn: 0,
            version: 0,
            written: vec![Vec::new(); LEAVES],
        };
        for number in 0..LEAVES {
            let leaf = world.leaf(number);
            world.leaves.push(leaf);
        }
        world
    }

    fn leaf(&mut self, number: usize) -> Arc<Leaf> {
        self.next_id += 1;
        let path = path(&format!("/g/leaf[k={number}]"));
        Arc::new(Leaf::new(self.next_id, Target::own(), path, state(0)))
    }

    fn write(&mut self, number: usize) {
        self.version += 1;
        self.written[number].push(Some(self.version));
        self.leaves[number].cell.lock().state = Arc::new(state(self.version));
    }

    fn items(&mut self, op: &Op) -> Vec<(Item, u32)> {
        match op {
            Op::Change(changes) => changes
                .iter()
                .map(|&(number, duplicates)| {
                    (0..=duplicates).for_each(|_| self.write(number));
                    let leaf = &self.leaves[number];
                    (Item::Update(Arc::clone(leaf), leaf.state()), duplicates)
                })
                .collect(),
            Op::Delete(number) => {
                self.written[*number].push(None);
                let item = deletion(&Target::own(), &self.leaves[*number], Timestamp::EPOCH);
                self.leaves[*number] = self.leaf(*number);
                vec![(item, 0)]
            }
            Op::Group(size) => {
                (0..*size).for_each(|number| self.write(number));
                let group = Group {
                    id: 0,
                    prefix: path("/g"),
                    at: Timestamp::EPOCH,
                    members: self.leaves[..*size].to_vec(),
                };
                let view = GroupView::new(&group, &Target::own(), &group.members, None);
                let others = (*size..LEAVES).flat_map(|other| self.items(&Op::Delete(other)));
                others.chain([(Item::Group(view), 0)]).collect()
            }
            Op::Take => Vec::new(),
        }
    }

    fn offer(&mut self, op: &Op, queue: &mut Queue) {
        self.turn += 1;
        for item in self.items(op) {
            for batch in Batch::split(vec![item]) {
                queue.offer(&batch, self.turn);
            }
        }
    }
}

fn state(version: u64) -> State {
    State::new(
        Value::Uint(version),
        Timestamp::EPOCH,
        Nature::State,
        version,
    )
}

/// A reader's side: by leaf's path, all that came: the value, with its duplicates; deletes as `None`.
type Read = BTreeMap<String, Vec<Option<(u64, u32)>>>;

fn take(queue: &mut Queue, read: &mut Read) -> bool {
    let items = match queue.take(Waker::noop()) {
        Taken::Batch(batch) => batch.items.clone(),
        Taken::Items(items) => items,
        Taken::Nothing => return false,
        Taken::Overrun(overrun) => panic!("{overrun}"),
    };
    let mut note = |path: String, read_now| read.entry(path).or_default().push(read_now);
    for (item, duplicates) in items {
        match item {
            Item::Delete(deletion) => note(deletion.path.to_string(), None),
            Item::Group(view) => view.leaves.iter().for_each(|(leaf, state)| {
                note(leaf.path.to_string(), Some((state.version, duplicates)));
            }),
            Item::Update(leaf, state) => {
                note(leaf.path.to_string(), Some((state.version, duplicates)));
            }
        }
    }
    true
}

fn run(ops: &[Op]) -> (World, Read) {
    let (mut world, mut read) = (World::new(), Read::new());
    let mut queue = Queue::new(&config());
    for op in ops {
        match op {
            Op::Take => {
                take(&mut queue, &mut read);
            }
            op => world.offer(op, &mut queue),
        }
        assert!(queue.len() <= ops.len() * 12);
    }
    while take(&mut queue, &mut read) {}
    assert_eq!(queue.len(), 0);
    (world, read)
}

/// What was read of a leaf is a part of what was written of it, in its order, and ends as that does.
fn check_order(written: &[Option<u64>], read: &[Option<(u64, u32)>]) {
    let mut left = written.iter();
    for item in read {
        let wanted = item.map(|(version, _)| version);
        // A repeated delete may stand for the later one.
        assert!(
            left.any(|known| *known == wanted),
            "{read:?} of {written:?}"
        );
    }
    let last = read.last().map(|item| item.map(|(version, _)| version));
    assert_eq!(last, written.last().copied());
}

proptest! {
    #[test]
    fn queue_keeps_the_order_of_each_leaf(ops in vec(op(true), 0..60)) {
        let (world, read) = run(&ops);
        for (leaf, written) in world.leaves.iter().zip(&world.written) {
            let read = read.get(&leaf.path.to_string());
            check_order(written, read.map_or(&[], Vec::as_slice));
        }
    }

    #[test]
    fn queue_counts_each_change_as_read_or_duplicate(ops in vec(op(false), 0..60)) {
        let (world, read) = run(&ops);
        for (leaf, written) in world.leaves.iter().zip(&world.written) {
            let read = read.get(&leaf.path.to_string()).into_iter().flatten().flatten();
            let counted: u64 = read.map(|(_, duplicates)| 1 + u64::from(*duplicates)).sum();
            prop_assert_eq!(counted, written.len() as u64);
        }
    }
}

#[test]
fn queue_of_a_lagging_subscriber_holds_each_leaf_once() {
    let (mut world, mut queue) = (World::new(), Queue::new(&config()));
    for _ in 0..1_000 {
        world.offer(
            &Op::Change((0..LEAVES).map(|leaf| (leaf, 0)).collect()),
            &mut queue,
        );
        world.offer(&Op::Group(3), &mut queue);
        world.offer(&Op::Delete(LEAVES - 1), &mut queue);
    }
    assert!(queue.len() <= LEAVES + 2, "{}", queue.len());
    let mut items = 0;
    while let Taken::Items(taken) = queue.take(Waker::noop()) {
        items += taken.len();
    }
    assert!(items <= LEAVES + 2, "{items}");
}
