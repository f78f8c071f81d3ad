//! The README says what the program says.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- begin configuration -->\n";
const END: &str = "<!-- end configuration -->";

#[test]
fn readme_lists_every_configuration_key_as_the_program_documents_it() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once(BEGIN).unwrap();
    let (table, _) = rest.split_once(END).unwrap();
    let documented = tollgate::config::documentation();
    assert!(
        table == documented,
        "the README's table must be:\n{documented}"
    );
}
