//! RESTCONF as OpenAPI 3.1: resources, operations and bodies come from the schema, methods and parameters from where the
//! requests are read.

use axum::http::Method;
use axum::http::StatusCode;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::schema::Collection;
use crate::schema::Format;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::Service;
use super::events::ALL;
use super::events::ONE;
use super::media::Media;
use super::query::Datastores;
use super::query::Query;
use super::routes::CALL;
use super::routes::GET;
use super::routes::READ;
use super::routes::allowed;
use super::target::Target;

impl Service {
    /// What is below `/restconf` and beside it: paths, and the schemas that they refer to. Of an entry's content the
    /// schemas tell; each node in it is a resource of its own, too.
    pub fn description(schema: &Schema) -> (Map<String, Value>, Map<String, Value>) {
        let mut writer = Writer {
            schema,
            paths: Map::new(),
            schemas: Map::new(),
        };
        writer.write();
        (writer.paths, writer.schemas)
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Writer<'_> {
    fn write(&mut self) {
        self.schemas.insert(ERRORS.to_owned(), errors());
        self.schemas.insert(ANYTHING.to_owned(), json!({}));
        for path in [
            "/restconf",
            "/restconf/operations",
            "/restconf/yang-library-version",
        ] {
            let page = self.page(path, READ, &Body::None);
            self.paths.insert(path.to_owned(), page);
        }
        for (base, datastores) in [
            ("/restconf/data", Datastores::Unified),
            ("/restconf/ds/ietf-datastores:running", Datastores::Running),
            (
                "/restconf/ds/ietf-datastores:intended",
                Datastores::Intended,
            ),
            (
                "/restconf/ds/ietf-datastores:operational",
                Datastores::Operational,
            ),
        ] {
            self.resource(base, datastores, &[]);
            for collection in self.schema.collections() {
                self.collection(base, datastores, collection);
            }
        }
        let page = self.page("/restconf/yang/{file}", READ, &Body::Module);
        self.paths.insert("/restconf/yang/{file}".to_owned(), page);
        let each = self.schema.notifications().iter();
        let each = each.map(|it| format!("{ONE}{it}"));
        for name in std::iter::once(ALL.to_owned()).chain(each) {
            for encoding in ["JSON", "XML"] {
                let path = format!("/restconf/streams/{name}/{encoding}");
                let page = self.page(&path, GET, &Body::Events);
                self.paths.insert(path, page);
            }
        }
        for &operation in self.schema.operations() {
            let path = format!("/restconf/operations/{}", self.schema.qualified(operation));
            self.call(&path, operation);
        }
    }

    fn collection(&mut self, base: &str, datastores: Datastores, collection: &Collection) {
        let container = step(collection.container, &[]);
        let keys = self.schema.node(collection.list).keys.iter();
        let keys: Vec<String> = keys
            .map(|key| format!("{{{}}}", self.schema.node(*key).name))
            .collect();
        let entry = [container.clone(), step(collection.list, &keys)];
        self.resource(base, datastores, std::slice::from_ref(&container));
        self.resource(base, datastores, &[container, step(collection.list, &[])]);
        let path = self.resource(base, datastores, &entry);
        if datastores.has_state() {
            for &action in &self.schema.node(collection.list).actions {
                self.call(&format!("{path}/{}", self.schema.member(action)), action);
            }
        }
    }

    /// A data resource. Returns its path.
    fn resource(&mut self, base: &str, datastores: Datastores, steps: &[Step]) -> String {
        let mut path = base.to_owned();
        for step in steps {
            path.extend(["/", &self.schema.member(step.node)]);
            if !step.keys.is_empty() {
                path.extend(["=", &step.keys.join(",")]);
            }
        }
        let target = Target {
            steps: steps.to_vec(),
            action: None,
        };
        let allow = allowed(self.schema, datastores, &target);
        let body = match steps {
            [] => Body::Datastore,
            [container] => Body::Container(container.node),
            [.., last] => Body::Entry(last.node),
        };
        let page = self.page(&path, allow, &body);
        self.paths.insert(path.clone(), page);
        path
    }

    fn call(&mut self, path: &str, operation: NodeId) {
        let page = self.page(path, CALL, &Body::Input(operation));
        self.paths.insert(path.to_owned(), page);
    }

    /// All methods of a path but OPTIONS, which has no secrets.
    fn page(&mut self, path: &str, allow: &str, body: &Body) -> Value {
        let mut page = Map::new();
        for name in allow.split(", ").filter(|name| *name != "OPTIONS") {
            let Ok(method) = Method::from_bytes(name.as_bytes()) else {
                continue;
            };
            let mut described = json!({
                "operationId": format!("{}_{}", name.to_lowercase(), id(path)),
                "summary": summary(&method),
                "parameters": parameters(path, &method, body),
                "responses": answers(&method, body),
                "security": [{ "bearer": [] }, { "certificate": [] }],
            });
            if let (Some(sent), Value::Object(members)) = (self.sent(&method, body), &mut described)
            {
                members.insert("requestBody".to_owned(), sent);
            }
            page.insert(name.to_lowercase(), described);
        }
        Value::Object(page)
    }

    fn sent(&mut self, method: &Method, body: &Body) -> Option<Value> {
        let name = match (method, body) {
            (&Method::GET | &Method::HEAD | &Method::DELETE, _)
            | (_, Body::None | Body::Events | Body::Module) => return None,
            (&Method::POST, Body::Container(container)) => {
                let children = self.schema.node(*container).children.clone();
                self.named(&component(self.schema, *container, "child"), &children)
            }
            (&Method::POST, Body::Entry(list)) => {
                let children = self.schema.node(*list).children.clone();
                self.named(&component(self.schema, *list, "child"), &children)
            }
            (_, Body::Entry(node) | Body::Container(node)) => {
                let name = component(self.schema, *node, "resource");
                self.named(&name, &[*node])
            }
            (_, Body::Datastore) => ANYTHING.to_owned(),
            (_, Body::Input(operation)) => self.input(*operation),
        };
        let schema = json!({ "schema": reference(&name) });
        let content: Map<String, Value> = Media::ALL
            .iter()
            .filter(|media| media.format() == Format::Json)
            .map(|media| (media.as_str().to_owned(), schema.clone()))
            .collect();
        let is_needed = !matches!(body, Body::Input(_));
        Some(json!({ "required": is_needed, "content": content }))
    }

    /// An object with these members, each named in full.
    fn named(&mut self, name: &str, members: &[NodeId]) -> String {
        if !self.schemas.contains_key(name) {
            self.schemas.insert(name.to_owned(), Value::Null);
            let config = members.iter().filter(|it| self.schema.node(**it).is_config);
            let members: Map<String, Value> = config
                .map(|it| (self.schema.qualified(*it), self.value(*it)))
                .collect();
            let object = json!({ "type": "object", "properties": members, "maxProperties": 1 });
            self.schemas.insert(name.to_owned(), object);
        }
        name.to_owned()
    }

    fn input(&mut self, operation: NodeId) -> String {
        let name = component(self.schema, operation, "input");
        let member = format!("{}:input", self.schema.node(operation).module);
        let input = self.object(operation);
        let object = json!({ "type": "object", "properties": { member: input } });
        self.schemas.insert(name.clone(), object);
        name
    }

    fn value(&self, id: NodeId) -> Value {
        let node = self.schema.node(id);
        match node.kind {
            Kind::AnyData | Kind::Operation => json!({}),
            Kind::Container => self.object(id),
            Kind::List => json!({ "type": "array", "items": self.object(id) }),
            Kind::Leaf => leaf(node.is_bare),
            Kind::LeafList => json!({ "type": "array", "items": leaf(node.is_bare) }),
        }
    }

    fn object(&self, id: NodeId) -> Value {
        let node = self.schema.node(id);
        let of = |id: &&NodeId| {
            let child = self.schema.node(**id);
            child.is_config || node.kind == Kind::Operation
        };
        let children = node.children.iter().filter(of);
        let properties: Map<String, Value> = children
            .clone()
            .map(|child| (self.schema.member(*child), self.value(*child)))
            .collect();
        let needed = |id: &&NodeId| node.keys.contains(id) || self.schema.node(**id).is_mandatory;
        let required: Vec<String> = children
            .filter(needed)
            .map(|child| self.schema.member(*child))
            .collect();
        json!({ "type": "object", "properties": properties, "required": required })
    }
}

/// What a resource is, as far as bodies go.
enum Body {
    None,
    Datastore,
    Container(NodeId),
    /// An entry, or its whole list.
    Entry(NodeId),
    Input(NodeId),
    /// Events that never end.
    Events,
    /// A module's text.
    Module,
}

fn step(node: NodeId, keys: &[String]) -> Step {
    Step {
        node,
        keys: keys.to_vec(),
    }
}

/// Numbers may be in quotes where that is switched on, and truth is bare.
fn leaf(is_bare: bool) -> Value {
    if is_bare {
        json!({ "type": ["integer", "boolean", "string"] })
    } else {
        json!({ "type": "string" })
    }
}

fn parameters(path: &str, method: &Method, body: &Body) -> Vec<Value> {
    let text = || json!({ "type": "string" });
    let mut parameters: Vec<Value> = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| {
            // An empty segment would be another resource.
            let schema = json!({ "type": "string", "minLength": 1, "examples": ["a"] });
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    let known = match body {
        Body::None | Body::Input(_) | Body::Module => &[],
        Body::Events => Query::known_of_stream(true),
        _ => Query::known(method),
    };
    let known = known.iter();
    parameters.extend(known.map(|name| json!({ "name": name, "in": "query", "schema": text() })));
    parameters
}

fn answers(method: &Method, body: &Body) -> Value {
    let media = || Media::ALL.iter().map(|media| media.as_str());
    let with = |name: &str| -> Map<String, Value> {
        let schema = json!({ "schema": reference(name) });
        media()
            .map(|media| (media.to_owned(), schema.clone()))
            .collect()
    };
    let mut answers = Map::new();
    let done: &[u16] = match (method.as_str(), body) {
        ("GET" | "HEAD", _) => &[200, 304],
        ("POST", Body::Input(_)) => &[204],
        ("POST", _) => &[201],
        ("PUT", _) => &[201, 204],
        // 200 is a patch of RFC 8072.
        ("PATCH", _) => &[200, 204],
        _ => &[204],
    };
    let failed: &[u16] = match method.as_str() {
        "GET" | "HEAD" => &[404, 406, 412],
        "DELETE" => &[404, 409, 412],
        _ => &[404, 406, 408, 409, 412, 413, 415, 501],
    };
    for status in done {
        let content = match (*status, body) {
            (200, Body::Events) => json!({ "text/event-stream": {} }),
            (200, Body::Module) => json!({ "application/yang": {} }),
            (200, _) => Value::Object(with(ANYTHING)),
            _ => json!({}),
        };
        let answer = json!({ "description": reason(*status), "content": content });
        answers.insert(status.to_string(), answer);
    }
    for status in failed.iter().chain(ALWAYS) {
        let content = with(ERRORS);
        let answer = json!({ "description": reason(*status), "content": content });
        answers.insert(status.to_string(), answer);
    }
    Value::Object(answers)
}

fn reason(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status
        .and_then(|it| it.canonical_reason())
        .unwrap_or("Done")
}

fn summary(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "Reads it.",
        "HEAD" => "Tells what reading it would, without a body.",
        "POST" => "Creates what is in it, or calls it.",
        "PUT" => "Creates or replaces it.",
        "PATCH" => "Merges into it.",
        _ => "Deletes it.",
    }
}

/// What a node's bodies are called.
fn component(schema: &Schema, node: NodeId, what: &str) -> String {
    format!("{}.{what}", schema.qualified(node).replace(':', "."))
}

/// The path as a word.
fn id(path: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    path.trim_matches('/').chars().map(word).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The errors document (RFC 8040 section 7).
fn errors() -> Value {
    let text = json!({ "type": "string" });
    let error = json!({
        "type": "object",
        "required": ["error-type", "error-tag"],
        "properties": {
            "error-type": text, "error-tag": text, "error-app-tag": text, "error-path": text, "error-message": text,
        },
    });
    let errors = json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": { "type": "array", "items": error } },
    });
    json!({
        "type": "object",
        "required": ["ietf-restconf:errors"],
        "properties": { "ietf-restconf:errors": errors },
    })
}

const ERRORS: &str = "ietf-restconf.errors";
const ANYTHING: &str = "restconf.data";

/// Statuses that every resource can have.
const ALWAYS: &[u16] = &[400, 401, 403, 405, 414, 429, 503];
