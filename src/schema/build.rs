//! From modules to a schema.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write as _;

use yang5::context::Context;
use yang5::context::ContextFlags;
use yang5::schema::DataValueType;
use yang5::schema::SchemaInputFormat;
use yang5::schema::SchemaModule;
use yang5::schema::SchemaNode;
use yang5::schema::SchemaNodeKind;
use yang5::schema::SchemaOutputFormat;
use yang5::schema::SchemaPathFormat;
use yang5::schema::SchemaPrinterFlags;

use super::Collection;
use super::Kind;
use super::LoadError;
use super::Module;
use super::Node;
use super::NodeId;
use super::Number;
use super::Schema;
use super::Source;
use super::modules::Texts;
use super::statement::uniques;

impl Schema {
    /// Loads and compiles modules. Takes some milliseconds, and blocks.
    ///
    /// # Errors
    ///
    /// [`LoadError`] names the file or module.
    pub fn load(source: Source<'_>) -> Result<Self, LoadError> {
        let texts = Texts::read(source)?;
        let whole = context(&texts)?;
        let mut builder = Builder::default();
        for module in whole.modules(false).filter(SchemaModule::is_implemented) {
            builder.add_module(&module);
        }
        builder.resolve(&whole);
        let modules = whole
            .modules(false)
            .filter(|module| !INTERNAL.contains(&module.name()))
            .map(|module| describe(&module, &texts))
            .collect();
        let mut schema = Self {
            nodes: builder.nodes,
            tops: builder.tops,
            operations: builder.operations,
            notifications: builder.notifications,
            modules,
            collections: Vec::new(),
            context: context(&texts)?,
        };
        schema.modules.sort_by(|a, b| a.name.cmp(&b.name));
        schema.collections = schema.find_collections(&whole)?;
        schema.loosen()?;
        Ok(schema)
    }

    /// Containers at the top that hold configuration: each must be a list of entries, and nothing else.
    fn find_collections(&self, whole: &Context) -> Result<Vec<Collection>, LoadError> {
        let mut found = Vec::new();
        for &container in &self.tops {
            let node = self.node(container);
            if !node.is_config {
                continue;
            }
            let shape = || LoadError::Shape {
                path: self.path(container),
            };
            let [list] = *node.children.as_slice() else {
                return Err(shape());
            };
            let entry = self.node(list);
            if node.kind != Kind::Container || entry.kind != Kind::List || entry.keys.is_empty() {
                return Err(shape());
            }
            let text = whole
                .get_module_implemented(&node.module)
                .and_then(|module| {
                    let flags = SchemaPrinterFlags::empty();
                    module.print_string(SchemaOutputFormat::YANG, flags).ok()
                })
                .unwrap_or_default();
            let uniques = uniques(&text, &node.name, &entry.name)
                .iter()
                .map(|leaves| leaves.iter().filter_map(|leaf| self.below(list, leaf)))
                .map(Iterator::collect)
                .collect();
            found.push(Collection {
                container,
                list,
                uniques,
            });
        }
        found.sort_by_key(|it| self.path(it.list));
        Ok(found)
    }

    fn below(&self, from: NodeId, path: &str) -> Option<NodeId> {
        path.split('/').try_fold(from, |at, step| {
            let name = step.split_once(':').map_or(step, |(_, name)| name);
            let children = self.node(at).children.iter().copied();
            children.into_iter().find(|&id| self.node(id).name == name)
        })
    }

    /// Makes references from one entry to another plain strings, since an entry is validated alone.
    fn loosen(&mut self) -> Result<(), LoadError> {
        let mut imports: Vec<&str> = Vec::new();
        let mut deviations = String::new();
        for (index, node) in (0..).zip(&self.nodes) {
            let is_data = self
                .ancestry(NodeId(index))
                .first()
                .is_some_and(|top| self.tops.contains(top));
            if node.target.is_none() || !node.is_config || !is_data {
                continue;
            }
            let mut path = String::new();
            for id in self.ancestry(NodeId(index)) {
                let step = self.node(id);
                let at = imports.iter().position(|it| *it == step.module);
                let at = at.unwrap_or_else(|| {
                    imports.push(&step.module);
                    imports.len() - 1
                });
                let _ = write!(path, "/m{at}:{}", step.name);
            }
            let _ = writeln!(
                deviations,
                "deviation \"{path}\" {{ deviate replace {{ type string; }} }}"
            );
        }
        let mut text = format!(
            "module {LOOSENED} {{ yang-version 1.1; namespace \"urn:{LOOSENED}\"; prefix self;\n"
        );
        for (at, name) in imports.iter().enumerate() {
            // Writing to a String does not fail.
            let _ = writeln!(text, "import {name} {{ prefix m{at}; }}");
        }
        text.push_str(&deviations);
        text.push('}');
        SchemaModule::parse_string(&self.context, &text, SchemaInputFormat::YANG)
            .map(drop)
            .map_err(|error| refused(LOOSENED, error))
    }
}

/// libyang's form of the modules.
fn context(texts: &Texts) -> Result<Context, LoadError> {
    let flags = ContextFlags::NO_YANGLIBRARY | ContextFlags::DISABLE_SEARCHDIRS;
    let context = Context::new(flags).map_err(|error| refused("(none)", error))?;
    // Imports are looked for among what is loaded already, so that what is imported comes first.
    let mut seen = HashSet::new();
    for name in texts.by_name.keys() {
        load(&context, texts, name, &mut seen)?;
    }
    for name in &texts.implemented {
        let module = context.get_module_latest(name);
        if let Some(module) = module.filter(|module| !module.is_implemented()) {
            module
                .set_implemented()
                .map_err(|error| refused(name, error))?;
        }
    }
    Ok(context)
}

/// Loads a module after those that it imports. A circle is left to libyang to refuse.
fn load<'a>(
    context: &Context,
    texts: &'a Texts,
    name: &'a str,
    seen: &mut HashSet<&'a str>,
) -> Result<(), LoadError> {
    let Some((name, text)) = texts.by_name.get_key_value(name) else {
        return Ok(());
    };
    if !seen.insert(name) || context.get_module_latest(name).is_some() {
        return Ok(());
    }
    for import in imports(text) {
        load(context, texts, import, seen)?;
    }
    let needed = texts.implemented.iter().any(|it| it == name) || is_imported(texts, name);
    if !needed {
        return Ok(());
    }
    SchemaModule::parse_string(context, text, SchemaInputFormat::YANG)
        .map(drop)
        .map_err(|error| refused(name, error))
}

fn is_imported(texts: &Texts, name: &str) -> bool {
    let mut others = texts.by_name.values();
    others.any(|text| imports(text).any(|import| import == name))
}

/// The names after `import` at the beginning of lines.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("import ")?;
        let end = rest.find([' ', '{', ';']).unwrap_or(rest.len());
        rest.get(..end)
    })
}

fn refused(module: &str, error: yang5::Error) -> LoadError {
    LoadError::Module {
        module: module.to_owned(),
        reason: error.msg.unwrap_or_default(),
    }
}

fn describe(module: &SchemaModule<'_>, texts: &Texts) -> Module {
    // Of some modules libyang has a newer revision with it, and takes that.
    let revision = module.revision().unwrap_or_default();
    let text = texts.by_name.get(module.name());
    let text = text.filter(|text| text.contains(revision)).cloned();
    let printed = || {
        let flags = SchemaPrinterFlags::empty();
        module.print_string(SchemaOutputFormat::YANG, flags)
    };
    Module {
        name: module.name().to_owned(),
        revision: module.revision().unwrap_or_default().to_owned(),
        namespace: module.namespace().to_owned(),
        is_implemented: module.is_implemented(),
        text: text.unwrap_or_else(|| printed().unwrap_or_default()),
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    tops: Vec<NodeId>,
    operations: Vec<NodeId>,
    notifications: Vec<String>,
    paths: HashMap<String, NodeId>,
    references: Vec<(NodeId, String)>,
}

impl Builder {
    fn add_module(&mut self, module: &SchemaModule<'_>) {
        // Protocol operations of NETCONF are not offered over RESTCONF (RFC 8040 3.3.2).
        if INTERNAL.contains(&module.name()) || module.name() == "ietf-netconf" {
            return;
        }
        for node in module.data() {
            let tops = self.add(&node, None);
            self.tops.extend(tops);
        }
        // The IETF's are about sessions of NETCONF and subscriptions, of which there are none.
        if !module.name().starts_with("ietf-") {
            let names = module.notifications();
            let qualified = names.map(|node| format!("{}:{}", module.name(), node.name()));
            self.notifications.extend(qualified);
        }
        for node in module.rpcs() {
            let operation = self.add(&node, None);
            self.operations.extend(operation);
        }
    }

    /// The node, or those of a choice.
    fn add(&mut self, node: &SchemaNode<'_>, parent: Option<NodeId>) -> Vec<NodeId> {
        let kind = match node.kind() {
            SchemaNodeKind::Case | SchemaNodeKind::Choice => {
                let children: Vec<_> = node.children().collect();
                let added = children.iter().flat_map(|child| self.add(child, parent));
                return added.collect();
            }
            SchemaNodeKind::Container => Kind::Container,
            SchemaNodeKind::Leaf => Kind::Leaf,
            SchemaNodeKind::LeafList => Kind::LeafList,
            SchemaNodeKind::List => Kind::List,
            SchemaNodeKind::Rpc | SchemaNodeKind::Action => Kind::Operation,
            SchemaNodeKind::AnyXml | SchemaNodeKind::AnyData => Kind::AnyData,
            SchemaNodeKind::Input | SchemaNodeKind::Output | SchemaNodeKind::Notification => {
                return Vec::new();
            }
        };
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let path = node.path(SchemaPathFormat::DATA);
        let base = node.leaf_type().map(|it| it.base_type());
        if base == Some(DataValueType::LeafRef) {
            self.references.push((id, path.clone()));
        }
        self.paths.insert(path, id);
        self.nodes.push(Node {
            module: node.module().name().to_owned(),
            name: node.name().to_owned(),
            kind,
            is_config: node.is_config(),
            is_mandatory: node.is_mandatory(),
            is_user_ordered: node.is_user_ordered(),
            is_bare: base.is_some_and(is_bare),
            number: base.and_then(Number::of),
            parent,
            children: Vec::new(),
            keys: Vec::new(),
            actions: Vec::new(),
            target: None,
        });
        self.fill(id, node, kind);
        vec![id]
    }

    fn fill(&mut self, id: NodeId, node: &SchemaNode<'_>, kind: Kind) {
        let inside: Vec<SchemaNode<'_>> = match (kind, node.input()) {
            (Kind::Operation, Some((input, _))) => input.collect(),
            (Kind::Container | Kind::List, _) => node.children().collect(),
            _ => Vec::new(),
        };
        let mut children = Vec::new();
        for child in &inside {
            children.extend(self.add(child, Some(id)));
        }
        let actions: Vec<_> = node.actions().collect();
        let actions = actions
            .iter()
            .flat_map(|it| self.add(it, Some(id)))
            .collect();
        let keys: Vec<String> = match kind {
            Kind::List => node.list_keys().map(|key| key.name().to_owned()).collect(),
            _ => Vec::new(),
        };
        let key = |name: &String| {
            let is_key = |id: &&NodeId| {
                self.nodes
                    .get(id.0 as usize)
                    .is_some_and(|it| it.name == *name)
            };
            children.iter().find(is_key).copied()
        };
        let keys = keys.iter().filter_map(key).collect();
        if let Some(node) = self.nodes.get_mut(id.0 as usize) {
            node.children = children;
            node.actions = actions;
            node.keys = keys;
        }
    }

    /// Finds what references refer to.
    fn resolve(&mut self, context: &Context) {
        for (id, path) in std::mem::take(&mut self.references) {
            let Ok(node) = context.find_path(&path) else {
                continue;
            };
            let target = node.find_xpath("deref(.)").ok().and_then(|mut found| {
                let target = found.next()?;
                self.paths
                    .get(&target.path(SchemaPathFormat::DATA))
                    .copied()
            });
            if let Some(node) = self.nodes.get_mut(id.0 as usize) {
                node.target = target;
            }
        }
    }
}

/// Whether JSON writes values of this type without quotes (RFC 7951 section 6).
const fn is_bare(base: DataValueType) -> bool {
    use DataValueType as Type;
    matches!(
        base,
        Type::Bool
            | Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Uint8
            | Type::Uint16
            | Type::Uint32
    )
}

/// The name of the module that makes references plain strings.
const LOOSENED: &str = "tollgate-entries";

/// Modules that libyang works with itself.
const INTERNAL: &[&str] = &[
    "default",
    "ietf-yang-schema-mount",
    "ietf-yang-structure-ext",
    "yang",
];
