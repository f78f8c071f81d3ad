//! The commands that the demo prints: each can be pasted as it stands.

use super::facts::Facts;

/// What to try, with this demo's address, token and certificate filled in.
pub(super) fn banner(facts: &Facts, program: &str) -> String {
    let Facts {
        gateway,
        iam,
        admin,
        tenant,
        token,
        admin_username,
        admin_password,
        ..
    } = facts;
    let ca = facts.ca_file.display();
    format!(
        r#"
Tollgate demo: gateway on {gateway}, IAM on {iam}, metrics on http://{admin}/metrics, tenant {tenant}
Real TWAMP-light measurements run over UDP on loopback; their results stream under
{QUERY}

The vendor's own example:
  {program} gnmicli --addr {gateway} --query {QUERY} --auth token --authToken 'Bearer {token}'

gnmic:
  gnmic -a {gateway} --tls-ca {ca} --token {token} capabilities
  gnmic -a {gateway} --tls-ca {ca} --token {token} subscribe --path accedian:{OBJECTS} --stream-mode on-change

gnmi_cli (takes no bearer: the PAT goes as password):
  GNMI_USER=demo-export GNMI_PASS={token} gnmi_cli -a {gateway} -ca_crt {ca} -with_user_pass -qt s -q {OBJECTS}

pygnmi:
  python3 -c 'from pygnmi.client import gNMIclient as c
with c(target=({host_port}), token="{token}", path_cert="{ca}") as g:
    print(g.get(path=["accedian:{OBJECTS}"]))'

Objects by their metadata, here those labelled usage=europe-east:
  gnmic -a {gateway} --tls-ca {ca} --token {token} subscribe --path 'accedian:{OBJECTS}/monitored-object[meta/data/name/usage=europe-east]'

curl:
  curl --cacert {ca} https://{gateway}/healthz

Another token by the vendor's two steps: who am I, and a token for that user:
  curl -sk -X GET "https://{iam}/auth/v1/users/me" \
  -H "Authorization: Bearer {token}" \
  -H "Content-Type: application/json"
  curl -sk -X POST "https://{iam}/management/v1/users/{machine_user}/pats" \
  -H "Authorization: Bearer {token}" \
  -H "Content-Type: application/json" \
  -d '{{
  "expirationDate": "2099-12-31T23:59:59Z"
  }}'

A person with a password works too:
  gnmic -a {gateway} --tls-ca {ca} -u {admin_username} -p {admin_password} capabilities

A token that stops at once (run it while a stream is open):
  {program} admin --data-dir {data_dir} pat list --tenant {tenant} --account demo-export
  {program} admin --data-dir {data_dir} pat revoke --tenant {tenant} {credential}

All of this is in {demo_json}. Ctrl-C ends the demo.
"#,
        host_port = host_and_port(gateway),
        data_dir = facts.data_dir.display(),
        credential = facts.credential_id,
        machine_user = facts.machine_user_id,
        demo_json = Facts::path(&facts.data_dir).display(),
    )
}

/// `127.0.0.1:8443` as pygnmi wants it: `"127.0.0.1", 8443`.
fn host_and_port(address: &str) -> String {
    address
        .rsplit_once(':')
        .map(|(host, port)| format!("\"{host}\", {port}"))
        .unwrap_or_default()
}

/// The path of the vendor's documentation.
const QUERY: &str = "/accedian:session/object-type/twamp-sf/monitored-objects/...";

/// The same place, as clients write it that know origins.
const OBJECTS: &str = "/object-type/twamp-sf/monitored-objects";
