//! Operations and actions (RFC 8040 3.6, 4.4.2).

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;

use crate::audit::Event;
use crate::datastore::DeleteService;
use crate::datastore::Edit;
use crate::datastore::Op;
use crate::datastore::Place;
use crate::datastore::Status;
use crate::datastore::key_text;
use crate::model::TenantId;
use crate::schema::Format;
use crate::schema::NodeId;
use crate::schema::Step;

use super::Service;
use super::body::inside;
use super::error::Refusal;

/// One call of an operation.
pub(super) struct Call<'a> {
    pub(super) service: &'a Service,
    pub(super) tenant: &'a TenantId,
    /// What the action belongs to; none for an operation.
    pub(super) parent: &'a [Step],
    pub(super) operation: NodeId,
    pub(super) event: Event,
}

impl Call<'_> {
    /// Runs it. None of the model's operations has output.
    pub(super) async fn answer(self, body: String, format: Format) -> Result<Response, Refusal> {
        let input = self.input(body, format).await?;
        let schema = self.service.schema();
        match schema.qualified(self.operation).as_str() {
            "Accedian-session:start" => self.set_status(Status::Running).await?,
            "Accedian-session:stop" => self.set_status(Status::Stopped).await?,
            "Accedian-session:force-delete" => {
                self.delete("Accedian-session:sessions", &text(&input, "session-id"))
                    .await?;
            }
            "Accedian-alert:force-delete" => {
                self.delete("Accedian-alert:alert-policies", &text(&input, "alert-id"))
                    .await?;
            }
            "Accedian-service:delete-service" => self.delete_service(&input).await?,
            _ => {
                return Err(Refusal::new(
                    StatusCode::NOT_IMPLEMENTED,
                    "operation-not-supported",
                    "operation is not offered",
                ));
            }
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    async fn input(&self, body: String, format: Format) -> Result<Map<String, Value>, Refusal> {
        let schema = Arc::clone(self.service.schema());
        let name = format!("{}:input", schema.node(self.operation).module);
        let input = if body.trim().is_empty() {
            match format {
                Format::Json => "{}",
                Format::Xml => "",
            }
        } else {
            inside(&body, &name, format)?
        }
        .to_owned();
        let (parent, operation) = (self.parent.to_vec(), self.operation);
        let parsed = tokio::task::spawn_blocking(move || {
            schema.parse_input(&parent, operation, &input, format)
        });
        Ok(parsed.await.map_err(|_| Refusal::internal())??)
    }

    async fn set_status(&self, status: Status) -> Result<(), Refusal> {
        let place = Place::of(self.service.schema(), self.parent);
        let Place::Entry {
            collection,
            entry,
            inside: [],
        } = place
        else {
            return Err(Refusal::internal());
        };
        let datastore = &self.service.datastore;
        let change = (status, &self.event);
        if datastore
            .set_status(self.tenant, collection, entry, change)
            .await?
        {
            Ok(())
        } else {
            Err(Refusal::not_found("resource does not exist"))
        }
    }

    /// Nothing below the datastore can refuse to let go, so that the forced way is the ordinary one.
    async fn delete(&self, collection: &str, key: &str) -> Result<(), Refusal> {
        let schema = self.service.schema();
        let collection = schema.collection_named(collection);
        let collection = collection.ok_or_else(Refusal::internal)?;
        let step = |node, keys| Step { node, keys };
        let edit = Edit {
            target: vec![
                step(collection.container, Vec::new()),
                step(collection.list, vec![key.to_owned()]),
            ],
            op: Op::Delete,
        };
        let datastore = &self.service.datastore;
        datastore
            .edit(self.tenant, &[edit], None, &self.event)
            .await?;
        Ok(())
    }

    async fn delete_service(&self, input: &Map<String, Value>) -> Result<(), Refusal> {
        let empty = Map::new();
        let target = input
            .get("target")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let flag = target.get("delete-service-endpoints");
        let input = DeleteService {
            service: key_text(&[text(target, "service-id")]),
            with_endpoints: flag == Some(&Value::Bool(true)),
        };
        let datastore = &self.service.datastore;
        Ok(datastore
            .delete_service(self.tenant, &input, &self.event)
            .await?)
    }
}

fn text(members: &Map<String, Value>, name: &str) -> String {
    let value = members.get(name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}
