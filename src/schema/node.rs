//! The nodes of a schema as plain data.

use std::fmt;

use yang5::context::Context;
use yang5::schema::DataValueType;

/// A set of modules, compiled. Never changes.
pub struct Schema {
    pub(super) nodes: Vec<Node>,
    pub(super) tops: Vec<NodeId>,
    pub(super) operations: Vec<NodeId>,
    pub(super) notifications: Vec<String>,
    pub(super) modules: Vec<Module>,
    pub(super) collections: Vec<Collection>,
    /// What parses, validates and prints. References between entries are plain strings in it, since an entry is
    /// validated alone; whether what they refer to is there, the datastore's indexes say.
    pub(super) context: Context,
}

/// A module that is loaded.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its revision; empty where it has none.
    pub revision: String,
    /// Its XML namespace.
    pub namespace: String,
    /// Whether its nodes can be used; otherwise it is only imported.
    pub is_implemented: bool,
    /// Its text, byte for byte.
    pub text: String,
}

/// One node that data can have, or an operation. Choices and cases are left out: data does not show them.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a statement of YANG that is there or not"
)]
pub struct Node {
    /// The module that defines it.
    pub module: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Configuration, not state.
    pub is_config: bool,
    /// Must be there where its parent is.
    pub is_mandatory: bool,
    /// The user says in which order its entries stand.
    pub is_user_ordered: bool,
    /// JSON writes its values without quotes.
    pub is_bare: bool,
    /// What number it is where JSON writes it as text.
    pub number: Option<Number>,
    /// What it stands in; `None` at the top.
    pub parent: Option<NodeId>,
    /// What stands in it.
    pub children: Vec<NodeId>,
    /// The keys of a list, in order.
    pub keys: Vec<NodeId>,
    /// Actions of a container or list.
    pub actions: Vec<NodeId>,
    /// The leaf that a leafref refers to.
    pub target: Option<NodeId>,
}

/// Numbers that RFC 7951 section 6 writes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// decimal64.
    Decimal,
    /// int64.
    Int,
    /// uint64.
    Uint,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Anything at all.
    AnyData,
    /// A container.
    Container,
    /// A leaf.
    Leaf,
    /// A list of values.
    LeafList,
    /// A list of entries.
    List,
    /// An operation at the top, or an action of an entry. Its children are its input.
    Operation,
}

/// A top-level container's list of entries, each of which is one record of the datastore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// The container.
    pub container: NodeId,
    /// The list.
    pub list: NodeId,
    /// For each `unique` statement, the leaves of an entry, below it.
    pub uniques: Vec<Vec<NodeId>>,
}

/// One step of the way to an instance: a node, and for an entry of a list its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node.
    pub node: NodeId,
    /// The values of its keys in order; of a leaf-list's entry, its value. Empty for other nodes, and for a whole list.
    pub keys: Vec<String>,
}

/// Which node it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

impl Number {
    pub(super) const fn of(base: DataValueType) -> Option<Self> {
        match base {
            DataValueType::Dec64 => Some(Self::Decimal),
            DataValueType::Int64 => Some(Self::Int),
            DataValueType::Uint64 => Some(Self::Uint),
            _ => None,
        }
    }
}

impl Schema {
    /// A node.
    ///
    /// # Panics
    ///
    /// Never: ids come from this schema alone.
    #[expect(
        clippy::indexing_slicing,
        reason = "ids are made by this schema alone, and it never changes"
    )]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The nodes at the top of the data tree.
    pub fn tops(&self) -> &[NodeId] {
        &self.tops
    }

    /// The operations that are no actions.
    pub fn operations(&self) -> &[NodeId] {
        &self.operations
    }

    /// The notifications of the model, as `module:name`.
    pub fn notifications(&self) -> &[String] {
        &self.notifications
    }

    /// All modules, by name.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// One module.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.name == name)
    }

    /// What is stored.
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// The collection whose list is `list`.
    pub fn collection_of(&self, list: NodeId) -> Option<&Collection> {
        self.collections.iter().find(|it| it.list == list)
    }

    /// The collection by the name that [`Schema::collection_name`] gives it.
    pub fn collection_named(&self, name: &str) -> Option<&Collection> {
        self.collections
            .iter()
            .find(|it| self.collection_name(it) == name)
    }

    /// A collection's name in the store: `module:container`.
    pub fn collection_name(&self, collection: &Collection) -> String {
        self.qualified(collection.container)
    }

    /// The child of `parent`, or the node at the top, that a JSON member or a URL's segment names. Without a module it
    /// is the parent's.
    pub fn find(&self, parent: Option<NodeId>, name: &str) -> Option<NodeId> {
        let (module, name) = match name.split_once(':') {
            Some((module, name)) => (module, name),
            None => (self.node(parent?).module.as_str(), name),
        };
        let among = parent.map_or(self.tops.as_slice(), |it| &self.node(it).children);
        self.named(among, module, name)
    }

    /// Which of `among` has this name in this module.
    pub fn named(&self, among: &[NodeId], module: &str, name: &str) -> Option<NodeId> {
        among.iter().copied().find(|&id| {
            let node = self.node(id);
            node.name == name && node.module == module
        })
    }

    /// `module:name`.
    pub fn qualified(&self, id: NodeId) -> String {
        let node = self.node(id);
        format!("{}:{}", node.module, node.name)
    }

    /// The name as a member of its parent's JSON object: with the module where it changes (RFC 7951 section 4).
    pub fn member(&self, id: NodeId) -> String {
        let node = self.node(id);
        let same = node
            .parent
            .is_some_and(|parent| self.node(parent).module == node.module);
        if same {
            node.name.clone()
        } else {
            self.qualified(id)
        }
    }

    /// From the top down to the node, itself included.
    pub fn ancestry(&self, id: NodeId) -> Vec<NodeId> {
        let mut ids = vec![id];
        let mut at = id;
        while let Some(parent) = self.node(at).parent {
            ids.push(parent);
            at = parent;
        }
        ids.reverse();
        ids
    }

    /// The path without keys, as in `/module:container/list/leaf`.
    pub fn path(&self, id: NodeId) -> String {
        let mut path = String::new();
        for id in self.ancestry(id) {
            path.extend(["/", &self.member(id)]);
        }
        path
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("modules", &self.modules.len())
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}
